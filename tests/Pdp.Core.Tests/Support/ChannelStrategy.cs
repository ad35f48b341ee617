using Pdp.Masks;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Tests.Support;

/// <summary>Whole output channels compete: a score shared by several weights, mean (RMS) or sum (L2) of their squares.</summary>
internal sealed record ChannelStrategy(bool IsMean = true) : IMaskStrategy
{
    public string Name => "channel";

    public double? FixedSparsity => null;

    public string? Refusal(WeightLayout layout) => null;

    public (long Groups, long Members) Competition(WeightLayout layout) => (1, layout.Shape[layout.OutputDimension]);

    public long Removed(long target, double fraction) => (long)Math.Floor((target * fraction) + 1e-9);

    public Tensor Magnitude(Tensor weight, WeightLayout layout)
    {
        using var scope = NewDisposeScope();
        using Scalar slope = ScoreSlope(layout);
        return Sum(weight.mul(weight), layout).mul(slope).sqrt().MoveToOuterDisposeScope();
    }

    public Tensor Sum(Tensor values, WeightLayout layout)
    {
        using var scope = NewDisposeScope();
        var channels = layout.Shape[layout.OutputDimension];
        return values.movedim([layout.OutputDimension], [0]).reshape(channels, -1).sum(1).reshape(1, -1).MoveToOuterDisposeScope();
    }

    public Tensor Spread(Tensor grouped, WeightLayout layout)
    {
        var sizes = layout.Shape.Select((size, dimension) => dimension == layout.OutputDimension ? size : 1);
        return grouped.reshape([.. sizes]);
    }

    public double ScoreSlope(WeightLayout layout) =>
        IsMean ? layout.Shape[layout.OutputDimension] / (double)layout.Elements : 1;
}
