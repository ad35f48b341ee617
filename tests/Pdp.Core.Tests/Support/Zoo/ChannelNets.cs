using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Networks in which channels of one layer meet each other, outside of any layer.</summary>
internal static class ChannelNets
{
    private const string Mixed = "mix|changes|silen|zero|order";

    private static readonly Scalar One = 1.0;

    public static IReadOnlyList<ZooCase> Cases { get; } =
    [
        new("DepthwiseResidual", DepthwiseResidual, 3, 12, 12) { Groups = ["stem depthwise"], Refused = ["fc: model"], OtherSizes = [[3, 8, 10]] },
        new("SpatialMaximum", SpatialMaximum, 3, 12, 12) { Groups = ["conv2"], Refused = [$"conv1: {Mixed}", "gate: only", "fc: model"], OtherSizes = [[3, 8, 10]] },
        new("MaximumOfGroups", () => Maximum(4, -1), 3, 12, 12) { Groups = ["conv2"], Refused = [$"conv1: {Mixed}", "fc: model"], OtherSizes = [[3, 8, 10]] },
        new("MaximumOfPairs", () => Maximum(-1, 2), 3, 12, 12) { Groups = ["conv2"], Either = ["conv1"], Refused = ["fc: model"], OtherSizes = [[3, 8, 10]] },
        new("LocalResponseNorm", LocalResponse, 3, 12, 12) { Groups = ["conv2"], Refused = [$"conv1: {Mixed}", "fc: model"], OtherSizes = [[3, 8, 10]] },
        new("Eca", () => Eca(hasSkip: false), 3, 12, 12) { Groups = ["conv2"], Refused = [$"conv1: {Mixed}", "neighbours: only", "fc: model"], OtherSizes = [[3, 8, 10]] },
        new("EcaBehindSkip", () => Eca(hasSkip: true), 3, 12, 12) { Groups = ["conv2"], Refused = [$"conv1: {Mixed}", "neighbours: only", "fc: model"], OtherSizes = [[3, 8, 10]] },
    ];

    private static Net DepthwiseResidual()
    {
        var (stem, depthwise, fc) = (Conv2d(3, 12, 3, padding: 1), Conv2d(12, 12, 3, padding: 1, groups: 12), Linear(12, 5));
        return new(new { stem, depthwise, fc }, x =>
        {
            x = functional.relu(stem.call(x));
            return fc.call(x.add(functional.relu(depthwise.call(x)), One).mean([2, 3]));
        });
    }

    /// <summary>The spatial attention of CBAM (Woo et al. 2018), by the greatest channel alone.</summary>
    private static Net SpatialMaximum()
    {
        var (conv1, gate, conv2, fc) = (Conv2d(3, 12, 3, padding: 1), Conv2d(1, 1, 3, padding: 1), Conv2d(12, 8, 3, padding: 1), Linear(8, 5));
        return new(new { conv1, gate, conv2, fc }, x =>
        {
            x = conv1.call(x);
            x = x.mul(gate.call(x.amax([1], keepdim: true)).sigmoid());
            return fc.call(functional.relu(conv2.call(x)).mean([2, 3]));
        });
    }

    /// <summary>The greatest of each set of channels (Goodfellow et al. 2013); a silent one may be the greatest.</summary>
    private static Net Maximum(long sets, long size)
    {
        var (conv1, conv2, fc) = (Conv2d(3, 12, 3, padding: 1), Conv2d(sets > 0 ? sets : 12 / size, 8, 3, padding: 1), Linear(8, 5));
        return new(new { conv1, conv2, fc }, x =>
        {
            x = conv1.call(x).unflatten(1, [sets, size]).amax([2]);
            return fc.call(functional.relu(conv2.call(x)).mean([2, 3]));
        });
    }

    /// <summary>Channels divided by those at their side (Krizhevsky et al. 2012).</summary>
    private static Net LocalResponse()
    {
        var (conv1, norm, conv2, fc) = (Conv2d(3, 12, 3, padding: 1), LocalResponseNorm(5, alpha: 1), Conv2d(12, 8, 3, padding: 1), Linear(8, 5));
        return new(new { conv1, norm, conv2, fc }, x => fc.call(functional.relu(conv2.call(norm.call(functional.relu(conv1.call(x))))).mean([2, 3])));
    }

    /// <summary>Gates from each channel's mean and those at its side (Wang et al. 2020).</summary>
    private static Net Eca(bool hasSkip)
    {
        var (conv1, neighbours) = (Conv2d(3, 12, 3, padding: 1, bias: false), Conv1d(1, 1, 3, padding: 1, bias: false));
        var (conv2, fc) = (Conv2d(12, 8, 3, padding: 1, bias: false), Linear(8, 5));
        return new(new { conv1, neighbours, conv2, fc }, x =>
        {
            x = conv1.call(x);
            var gate = neighbours.call(x.mean([2, 3]).unsqueeze(1)).sigmoid().squeeze(1).unsqueeze(2).unsqueeze(3);
            var gated = x.mul(gate);
            return fc.call(functional.relu(conv2.call(hasSkip ? gated.add(x, One) : gated)).mean([2, 3]));
        });
    }
}
