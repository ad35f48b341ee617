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
        new("DepthwiseResidual", DepthwiseResidual, 3, 12, 12)
        {
            Groups = ["stem depthwise"],
            Unsupported = ["fc: model"],
            OtherSizes = [[3, 8, 10]],
        },
        new("SpatialMaximum", SpatialMaximum, 3, 12, 12)
        {
            Groups = ["conv2"],
            Unsupported = [$"conv1: {Mixed}", "gate: only", "fc: model"],
            OtherSizes = [[3, 8, 10]],
        },
        new("MaximumOfGroups", () =>
            Maximum(4, -1), 3, 12, 12) { Groups = ["conv2"], Unsupported = [$"conv1: {Mixed}", "fc: model"], OtherSizes = [[3, 8, 10]] },
        new("MaximumOfPairs", () =>
            Maximum(-1, 2), 3, 12, 12) { Groups = ["conv2"], Either = ["conv1"], Unsupported = ["fc: model"], OtherSizes = [[3, 8, 10]] },
        new("LocalResponseNorm", LocalResponse, 3, 12, 12)
        {
            Groups = ["conv2"],
            Unsupported = [$"conv1: {Mixed}", "fc: model"],
            OtherSizes = [[3, 8, 10]],
        },
        new("Eca", () => Eca(hasSkip: false), 3, 12, 12)
        {
            Groups = ["conv2"],
            Unsupported = [$"conv1: {Mixed}", "neighbours: only", "fc: model"],
            OtherSizes = [[3, 8, 10]],
        },
        new("ResponseNorm", ResponseNorm, 3, 12, 12)
        {
            Groups = ["conv2"],
            Unsupported = [$"conv1: {Mixed}|run", "fc: model"],
            OtherSizes = [[3, 8, 10]],
        },
        new("L2Norm", L2Norm, 3, 12, 12) { Groups = ["conv2"], Either = ["conv1"], Unsupported = ["fc: model"], OtherSizes = [[3, 8, 10]] },
        new("TemporalShift", TemporalShift, 3, 12, 12)
        {
            Groups = ["conv2"],
            Unsupported = ["conv1: ", "fc: model"],
            OtherSizes = [[3, 8, 10]],
        },
        new("ChannelSum", () => Summary(x => x.sum(1, keepdim: true)),
            3, 12, 12) { Groups = ["conv2"], Either = ["conv1"], Unsupported = ["fc: model"], OtherSizes = [[3, 8, 10]] },
        new("ChannelMean", () => Summary(x => x.mean([1], keepdim: true)), 3, 12, 12)
        {
            Groups = ["conv2"],
            Unsupported = [$"conv1: {Mixed}", "fc: model"],
            OtherSizes = [[3, 8, 10]],
        },
        new("ChannelMaximum", () => Summary(x => x.amax([1], keepdim: true)), 3, 12, 12)
        {
            Groups = ["conv2"],
            Unsupported = [$"conv1: {Mixed}", "fc: model"],
            OtherSizes = [[3, 8, 10]],
        },
        new("PaddedWithOnes", () => Between(x => functional.pad(x, [1, 1, 1, 1], value: 1)), 3, 12, 12)
        {
            Groups = ["conv2"],
            Unsupported = ["conv1: zero|constant|silen|changes", "fc: model"],
            OtherSizes = [[3, 8, 10]],
        },
        new("Shifted", () => Between(x => x.add(One, One)), 3, 12, 12)
        {
            Groups = ["conv2"],
            Unsupported = ["conv1: zero|constant|silen|changes", "fc: model"],
            OtherSizes = [[3, 8, 10]],
        },
        new("UnscaledNorm", () => Normed(BatchNorm2d(12, affine: false)), 3, 12, 12)
        {
            Groups = ["conv2"],
            Unsupported = ["conv1: zero|constant|silen|changes|run", "fc: model"],
            OtherSizes = [[3, 8, 10]],
        },
        new("InstanceNorm", () => Normed(InstanceNorm2d(12, affine: true)), 3, 12, 12)
        {
            Groups = ["conv1", "conv2"],
            Unsupported = ["fc: model"],
            OtherSizes = [[3, 8, 10]],
        },
        new("EcaBehindSkip", () => Eca(hasSkip: true), 3, 12, 12)
        {
            Groups = ["conv2"],
            Unsupported = [$"conv1: {Mixed}", "neighbours: only", "fc: model"],
            OtherSizes = [[3, 8, 10]],
        },
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
        var (conv1, gate, conv2, fc) = (
            Conv2d(3, 12, 3, padding: 1), Conv2d(1, 1, 3, padding: 1), Conv2d(12, 8, 3, padding: 1), Linear(8, 5));
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
        var (conv1, norm, conv2, fc) = (
            Conv2d(3, 12, 3, padding: 1), LocalResponseNorm(5, alpha: 1), Conv2d(12, 8, 3, padding: 1), Linear(8, 5));
        return new(new { conv1, norm, conv2, fc }, x => fc.call(
            functional.relu(conv2.call(norm.call(functional.relu(conv1.call(x))))).mean([2, 3])));
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

    /// <summary>Channels over the mean of their norms, as in ConvNeXt V2 (Woo et al. 2023).</summary>
    private static Net ResponseNorm()
    {
        var (conv1, scale, conv2, fc) = (Conv2d(3, 12, 3, padding: 1), new Learned(12, 1, 1), Conv2d(12, 8, 3, padding: 1), Linear(8, 5));
        return new(new { conv1, scale, conv2, fc }, x =>
        {
            x = functional.gelu(conv1.call(x));
            var size = x.mul(x).sum([2, 3], keepdim: true).sqrt();
            x = x.add(x.mul(size.div(size.mean([1], keepdim: true))).mul(scale.value), One);
            return fc.call(functional.relu(conv2.call(x)).mean([2, 3]));
        });
    }

    /// <summary>
    /// Pixels over their norm, times a scale for each channel, as in SSD (Liu et al. 2016): silent channels add nothing to it.
    /// </summary>
    private static Net L2Norm()
    {
        var (conv1, scale, conv2, fc) = (Conv2d(3, 12, 3, padding: 1), new Learned(12, 1, 1), Conv2d(12, 8, 3, padding: 1), Linear(8, 5));
        return new(new { conv1, scale, conv2, fc }, x =>
        {
            x = conv1.call(x);
            x = x.div(x.norm(1, keepdim: true)).mul(scale.value);
            return fc.call(functional.relu(conv2.call(x)).mean([2, 3]));
        });
    }

    /// <summary>
    /// The first quarter of the channels moved by a column (Lin et al. 2019): which ones are moved depends on how many there are.
    /// </summary>
    private static Net TemporalShift()
    {
        var (conv1, conv2, fc) = (Conv2d(3, 12, 3, padding: 1), Conv2d(12, 8, 3, padding: 1), Linear(8, 5));
        return new(new { conv1, conv2, fc }, x =>
        {
            x = functional.relu(conv1.call(x));
            var moved = x.size(1) / 4;
            x = cat([x.narrow(1, 0, moved).roll(1, 3), x.narrow(1, moved, x.size(1) - moved)], 1);
            return fc.call(functional.relu(conv2.call(x)).mean([2, 3]));
        });
    }

    /// <summary>A layer behind one number out of the channels of each pixel.</summary>
    private static Net Summary(Func<Tensor, Tensor> summary)
    {
        var (conv1, conv2, fc) = (Conv2d(3, 12, 3, padding: 1), Conv2d(1, 8, 3, padding: 1), Linear(8, 5));
        return new(new { conv1, conv2, fc }, x => fc.call(functional.relu(conv2.call(summary(conv1.call(x)))).mean([2, 3])));
    }

    private static Net Between(Func<Tensor, Tensor> between)
    {
        var (conv1, conv2, fc) = (Conv2d(3, 12, 3, padding: 1), Conv2d(12, 8, 3), Linear(8, 5));
        return new(new { conv1, conv2, fc }, x => fc.call(
            functional.relu(conv2.call(between(functional.relu(conv1.call(x))))).mean([2, 3])));
    }

    private static Net Normed(Module<Tensor, Tensor> norm)
    {
        var (conv1, conv2, fc) = (Conv2d(3, 12, 3, padding: 1), Conv2d(12, 8, 3, padding: 1), Linear(8, 5));
        return new(new { conv1, norm, conv2, fc }, x => fc.call(
            functional.relu(conv2.call(functional.relu(norm.call(conv1.call(x))))).mean([2, 3])));
    }
}
