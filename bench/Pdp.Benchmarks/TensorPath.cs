using static TorchSharp.torch;

namespace Pdp.Benchmarks;

/// <summary>A strategy that the kernels don't know, so that the library takes its tensor operations.</summary>
internal sealed class TensorPath(IMaskStrategy strategy) : IMaskStrategy
{
    public string Name => strategy.Name;

    public double? FixedSparsity => strategy.FixedSparsity;

    public string? UnsupportedReason(WeightLayout layout) => strategy.UnsupportedReason(layout);

    public Grouping GroupingOf(WeightLayout layout) => strategy.GroupingOf(layout);

    public long Removed(long target, double fraction) => strategy.Removed(target, fraction);

    public Tensor Magnitude(Tensor weight, WeightLayout layout) => strategy.Magnitude(weight, layout);

    public Tensor Sum(Tensor values, WeightLayout layout) => strategy.Sum(values, layout);

    public Tensor Spread(Tensor grouped, WeightLayout layout) => strategy.Spread(grouped, layout);

    public double ScoreSlope(WeightLayout layout) => strategy.ScoreSlope(layout);
}
