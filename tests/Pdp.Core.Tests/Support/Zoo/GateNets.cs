using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Networks in which channels are scaled by gates that are computed from others.</summary>
internal static class GateNets
{
    private static readonly Scalar One = 1.0;
    private static readonly long[] Picture = [3, 12, 12];
    private static readonly long[][] Others = [[3, 8, 10]];

    public static IReadOnlyList<ZooCase> Cases { get; } =
    [
        new("Cbam", () => Cbam(isSpatial: true), Picture)
        {
            Groups = ["squeeze", "conv2"],
            Unsupported = ["conv1: mix|changes|silen|zero|order", "excite: ", "spatial: only", "fc: model"],
            OtherSizes = Others,
        },
        new("CbamOfChannels", () => Cbam(isSpatial: false), Picture)
        {
            Groups = ["conv1 (excite)", "squeeze", "conv2"],
            Unsupported = ["spatial: only", "fc: model"],
            OtherSizes = Others,
        },
        new("CoordinateAttention", CoordinateAttention, Picture)
        {
            Groups = ["conv1 (high wide)", "reduce", "conv2"],
            Unsupported = ["fc: model"],
            OtherSizes = Others,
        },
        new("NonLocal",
            NonLocal, Picture) { Groups = ["stem back", "h"], Either = ["f g"], Unsupported = ["fc: model"], OtherSizes = Others },
        new("SelectiveKernel", SelectiveKernel,
            Picture) { Groups = ["reduce", "conv2"], Either = ["a b (gateA gateB)"], Unsupported = ["fc: model"], OtherSizes = Others },
        new("Film", Film, Picture) { Groups = ["conv1 shift (scale)", "conv2"], Unsupported = ["fc: model"], OtherSizes = Others },
        new("Highway", Highway, 12) { Groups = ["stem carry (gate)"], Unsupported = ["fc: model"] },
        new("WaveNet", WaveNet, 2, 20)
        {
            Groups = ["stem back", "filter1 (gate1)", "filter2 (gate2)", "skip1 skip2"],
            Unsupported = ["head: model"],
            OtherSizes = [[2, 7], [2, 33]],
        },
    ];

    /// <summary>Gates from means and greatest values of each channel, then of each pixel (Woo et al. 2018).</summary>
    private static Net Cbam(bool isSpatial)
    {
        var (conv1, squeeze, excite) = (Conv2d(3, 12, 3, padding: 1), Linear(12, 4), Linear(4, 12));
        var (spatial, conv2, fc) = (Conv2d(2, 1, 3, padding: 1), Conv2d(12, 8, 3, padding: 1), Linear(8, 5));
        return new(new { conv1, squeeze, excite, spatial, conv2, fc }, x =>
        {
            x = conv1.call(x);
            Tensor Gate(Tensor summary) => excite.call(functional.relu(squeeze.call(summary)));
            x = x.mul(Gate(x.mean([2, 3])).add(Gate(x.amax([2, 3])), One).sigmoid().unsqueeze(2).unsqueeze(3));
            var pixels = isSpatial ? cat([x.mean([1], keepdim: true), x.amax([1], keepdim: true)], 1) : null;
            x = functional.relu(conv2.call(pixels is null ? x : x.mul(spatial.call(pixels).sigmoid())));
            return fc.call(x.mean([2, 3]));
        });
    }

    /// <summary>Gates for each row and each column (Hou et al. 2021).</summary>
    private static Net CoordinateAttention()
    {
        var (conv1, norm1, reduce, norm2) = (Conv2d(3, 12, 3, padding: 1, bias: false), BatchNorm2d(12), Conv2d(12, 6, 1), BatchNorm2d(6));
        var (high, wide, conv2, fc) = (Conv2d(6, 12, 1), Conv2d(6, 12, 1), Conv2d(12, 8, 3, padding: 1), Linear(8, 5));
        return new(new { conv1, norm1, reduce, norm2, high, wide, conv2, fc }, x =>
        {
            x = functional.relu(norm1.call(conv1.call(x)));
            var rows = x.mean([3], keepdim: true);
            var columns = x.mean([2], keepdim: true).transpose(2, 3);
            var both = functional.hardswish(norm2.call(reduce.call(cat([rows, columns], 2)))).split([x.size(2), x.size(3)], 2);
            x = x.mul(high.call(both[0]).sigmoid()).mul(wide.call(both[1].transpose(2, 3)).sigmoid());
            return fc.call(functional.relu(conv2.call(x)).mean([2, 3]));
        });
    }

    /// <summary>Attention of all pixels by 1×1 convolutions around a shortcut (Wang et al. 2018).</summary>
    private static Net NonLocal()
    {
        var (stem, f, g, h, back, fc) = (
            Conv2d(3, 8, 3, padding: 1), Conv2d(8, 4, 1), Conv2d(8, 4, 1), Conv2d(8, 6, 1), Conv2d(6, 8, 1), Linear(8, 5));
        return new(new { stem, f, g, h, back, fc }, x =>
        {
            x = functional.relu(stem.call(x));
            var shares = einsum("bci,bcj->bij", f.call(x).flatten(2), g.call(x).flatten(2)).softmax(-1);
            var seen = einsum("bij,bcj->bci", shares, h.call(x).flatten(2)).unflatten(2, [x.size(2), x.size(3)]);
            return fc.call(x.add(back.call(seen), One).mean([2, 3]));
        });
    }

    /// <summary>Two widths of the same channels, mixed by shares that add up to one (Li et al. 2019).</summary>
    private static Net SelectiveKernel()
    {
        var (a, b, reduce) = (Conv2d(3, 12, 3, padding: 1), Conv2d(3, 12, 5, padding: 2), Linear(12, 6));
        var (gateA, gateB, conv2, fc) = (Linear(6, 12), Linear(6, 12), Conv2d(12, 8, 3, padding: 1), Linear(8, 5));
        return new(new { a, b, reduce, gateA, gateB, conv2, fc }, x =>
        {
            var (fine, wide) = (functional.relu(a.call(x)), functional.relu(b.call(x)));
            var z = functional.relu(reduce.call(fine.add(wide, One).mean([2, 3])));
            var shares = stack([gateA.call(z), gateB.call(z)]).softmax(0).unsqueeze(3).unsqueeze(4).unbind(0);
            x = fine.mul(shares[0]).add(wide.mul(shares[1]), One);
            return fc.call(functional.relu(conv2.call(x)).mean([2, 3]));
        });
    }

    /// <summary>Channels scaled and shifted by a condition (Perez et al. 2018).</summary>
    private static Net Film()
    {
        var (conv1, scale, shift, conv2, fc) = (
            Conv2d(3, 12, 3, padding: 1), Linear(3, 12), Linear(3, 12), Conv2d(12, 8, 3, padding: 1), Linear(8, 5));
        return new(new { conv1, scale, shift, conv2, fc }, x =>
        {
            var condition = x.mean([2, 3]);
            Tensor Pixels(Tensor channels) => channels.unsqueeze(2).unsqueeze(3);
            x = functional.relu(conv1.call(x).mul(Pixels(scale.call(condition))).add(Pixels(shift.call(condition)), One));
            return fc.call(functional.relu(conv2.call(x)).mean([2, 3]));
        });
    }

    /// <summary>A gate between what a layer makes and what it was given (Srivastava et al. 2015).</summary>
    private static Net Highway()
    {
        var (stem, carry, gate, fc) = (Linear(12, 10), Linear(10, 10), Linear(10, 10), Linear(10, 5));
        return new(new { stem, carry, gate, fc }, x =>
        {
            x = functional.relu(stem.call(x));
            return fc.call(x.add(gate.call(x).sigmoid().mul(functional.relu(carry.call(x)).sub(x)), One));
        });
    }

    /// <summary>Gated convolutions over time with skips to the head (van den Oord et al. 2016).</summary>
    private static Net WaveNet()
    {
        var (stem, filter1, gate1, back, skip1) = (
            Conv1d(2, 8, 3, padding: 1), Conv1d(8, 6, 3, padding: 1), Conv1d(8, 6, 3, padding: 1), Conv1d(6, 8, 1), Conv1d(6, 10, 1));
        var (filter2, gate2, skip2, head) = (
            Conv1d(8, 6, 3, padding: 2, dilation: 2), Conv1d(8, 6, 3, padding: 2, dilation: 2), Conv1d(6, 10, 1), Conv1d(10, 4, 1));
        return new(new { stem, filter1, gate1, back, skip1, filter2, gate2, skip2, head }, x =>
        {
            x = stem.call(x);
            var z = filter1.call(x).tanh().mul(gate1.call(x).sigmoid());
            x = x.add(back.call(z), One);
            var skips = skip1.call(z);
            z = filter2.call(x).tanh().mul(gate2.call(x).sigmoid());
            return head.call(functional.relu(skips.add(skip2.call(z), One)));
        });
    }
}
