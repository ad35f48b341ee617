using static TorchSharp.torch;

namespace Pdp.Tests.Support;

/// <summary>A user's strategy that is a class, so that two of them are never <c>Equals</c>.</summary>
internal sealed class PlainStrategy(string words) : IMaskStrategy
{
    private readonly Unstructured _inner = new();

    /// <summary>How often <see cref="Magnitude"/> was called.</summary>
    public int Magnitudes { get; private set; }

    public string Name => "plain";

    public double? FixedSparsity => null;

    public string? UnsupportedReason(WeightLayout layout) => _inner.UnsupportedReason(layout);

    public Grouping GroupingOf(WeightLayout layout) => _inner.GroupingOf(layout);

    public long Removed(long target, double fraction) => _inner.Removed(target, fraction);

    public Tensor Magnitude(Tensor weight, WeightLayout layout)
    {
        Magnitudes++;
        return _inner.Magnitude(weight, layout);
    }

    public Tensor Sum(Tensor values, WeightLayout layout) => _inner.Sum(values, layout);

    public Tensor Spread(Tensor grouped, WeightLayout layout) => _inner.Spread(grouped, layout);

    public double ScoreSlope(WeightLayout layout) => _inner.ScoreSlope(layout);

    public string Describe() => words;
}
