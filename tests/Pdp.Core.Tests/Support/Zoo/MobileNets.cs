using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Networks made of depthwise and 1×1 convolutions, and of parts of channels.</summary>
internal static class MobileNets
{
    private const string Mixed = "mix|norm|changes|order";

    private static readonly Scalar One = 1.0;
    private static readonly long[] Picture = [3, 12, 12];
    private static readonly long[][] Others = [[3, 8, 16]];

    public static IReadOnlyList<ZooCase> Cases { get; } =
    [
        new("MobileNetV3", () => InvertedResidual(functional.hardswish, functional.hardsigmoid), Picture)
            { Groups = ["stem project", "expand depthwise (excite)", "squeeze", "last"], Unsupported = ["fc: model"], OtherSizes = Others },
        new("EfficientNet", () => InvertedResidual(functional.silu, (x, _) => x.sigmoid()), Picture)
            { Groups = ["stem project", "expand depthwise (excite)", "squeeze", "last"], Unsupported = ["fc: model"], OtherSizes = Others },
        new("ConvMixer", ConvMixer, Picture) { Groups = ["stem depthwise", "pointwise"], Unsupported = ["fc: model"], OtherSizes = Others },
        new("ConvNeXt", ConvNeXt, Picture)
        {
            Groups = ["wide"],
            Unsupported = [$"stem: {Mixed}", $"depthwise: {Mixed}|tied", $"narrow: {Mixed}", "fc: model"],
            OtherSizes = Others,
        },
        new("ShuffleNet", ShuffleNet, Picture)
        {
            Groups = ["conv2"],
            Unsupported = ["stem: ", "grouped1: ", "depthwise: ", "grouped2: ", "fc: model"],
            OtherSizes = Others,
        },
        new("ShuffleNetV2", ShuffleNetV2,
            Picture) { Groups = ["narrow depthwise", "conv2"], Either = ["stem widen"], Unsupported = ["fc: model"], OtherSizes = Others },
        new("GhostNet", GhostNet, Picture) { Groups = ["primary cheap", "conv2"], Unsupported = ["fc: model"], OtherSizes = Others },
        new("C2f", C2f, Picture)
        {
            Groups = ["stem", "inner1", "merge", "last"],
            Either = ["split inner2"],
            Unsupported = ["fc: model"],
            OtherSizes = Others,
        },
        new("DepthMultiplier", DepthMultiplier, Picture)
        {
            Groups = ["conv1 depthwise", "conv2"],
            Unsupported = ["fc: model"],
            OtherSizes = Others,
        },
    ];

    /// <summary>An inverted residual with squeeze and excitation (Howard et al. 2019; Tan and Le 2019).</summary>
    private static Net InvertedResidual(Func<Tensor, bool, Tensor> activation, Func<Tensor, bool, Tensor> gate)
    {
        var (stem, norm0, expand, norm1) = (
            Conv2d(3, 8, 3, padding: 1, bias: false), BatchNorm2d(8), Conv2d(8, 12, 1, bias: false), BatchNorm2d(12));
        var (depthwise, norm2, squeeze, excite) = (
            Conv2d(12, 12, 3, padding: 1, groups: 12, bias: false), BatchNorm2d(12), Conv2d(12, 4, 1), Conv2d(4, 12, 1));
        var (project, norm3, last, norm4, fc) = (
            Conv2d(12, 8, 1, bias: false), BatchNorm2d(8), Conv2d(8, 16, 1, bias: false), BatchNorm2d(16), Linear(16, 5));
        return new(new { stem, norm0, expand, norm1, depthwise, norm2, squeeze, excite, project, norm3, last, norm4, fc }, x =>
        {
            x = activation(norm0.call(stem.call(x)), false);
            var y = activation(norm1.call(expand.call(x)), false);
            y = activation(norm2.call(depthwise.call(y)), false);
            y = y.mul(gate(excite.call(functional.relu(squeeze.call(y.mean([2, 3], keepdim: true)))), false));
            x = x.add(norm3.call(project.call(y)), One);
            return fc.call(activation(norm4.call(last.call(x)), false).mean([2, 3]));
        });
    }

    /// <summary>Depthwise convolutions around a shortcut, norms behind the activations (Trockman and Kolter 2023).</summary>
    private static Net ConvMixer()
    {
        var (stem, norm1, depthwise, norm2) = (
            Conv2d(3, 12, 2, stride: 2), BatchNorm2d(12), Conv2d(12, 12, 5, padding: 2, groups: 12), BatchNorm2d(12));
        var (pointwise, norm3, fc) = (Conv2d(12, 10, 1), BatchNorm2d(10), Linear(10, 5));
        return new(new { stem, norm1, depthwise, norm2, pointwise, norm3, fc }, x =>
        {
            x = norm1.call(functional.gelu(stem.call(x)));
            x = x.add(norm2.call(functional.gelu(depthwise.call(x))), One);
            return fc.call(norm3.call(functional.gelu(pointwise.call(x))).mean([2, 3]));
        });
    }

    /// <summary>A norm over the channels of each pixel between the convolutions (Liu et al. 2022).</summary>
    private static Net ConvNeXt()
    {
        var (stem, depthwise, norm) = (Conv2d(3, 8, 2, stride: 2), Conv2d(8, 8, 7, padding: 3, groups: 8), LayerNorm(8));
        var (wide, narrow, scale, fc) = (Linear(8, 16), Linear(16, 8), new Learned(8), Linear(8, 5));
        return new(new { stem, depthwise, norm, wide, narrow, scale, fc }, x =>
        {
            x = stem.call(x);
            var y = norm.call(depthwise.call(x).permute(0, 2, 3, 1));
            y = narrow.call(functional.gelu(wide.call(y))).mul(scale.value);
            return fc.call(x.add(y.permute(0, 3, 1, 2), One).mean([2, 3]));
        });
    }

    /// <summary>Grouped convolutions with the channels dealt out between them (Zhang et al. 2018).</summary>
    private static Net ShuffleNet()
    {
        var (stem, grouped1, depthwise) = (
            Conv2d(3, 12, 3, padding: 1), Conv2d(12, 12, 1, groups: 3), Conv2d(12, 12, 3, padding: 1, groups: 12));
        var (grouped2, conv2, fc) = (Conv2d(12, 12, 1, groups: 3), Conv2d(12, 8, 1), Linear(8, 5));
        return new(new { stem, grouped1, depthwise, grouped2, conv2, fc }, x =>
        {
            x = functional.relu(stem.call(x));
            var y = functional.relu(grouped1.call(x));
            y = depthwise.call(y.unflatten(1, [3, y.size(1) / 3]).transpose(1, 2).flatten(1, 2));
            x = functional.relu(x.add(grouped2.call(y), One));
            return fc.call(functional.relu(conv2.call(x)).mean([2, 3]));
        });
    }

    /// <summary>Half of the channels pass a branch and are interleaved with the others (Ma et al. 2018).</summary>
    private static Net ShuffleNetV2()
    {
        var (stem, narrow, depthwise, widen) = (
            Conv2d(3, 12, 3, padding: 1), Conv2d(6, 6, 1), Conv2d(6, 6, 3, padding: 1, groups: 6), Conv2d(6, 6, 1));
        var (conv2, fc) = (Conv2d(12, 8, 1), Linear(8, 5));
        return new(new { stem, narrow, depthwise, widen, conv2, fc }, x =>
        {
            var halves = functional.relu(stem.call(x)).chunk(2, 1);
            var y = functional.relu(widen.call(depthwise.call(functional.relu(narrow.call(halves[1])))));
            x = stack([halves[0], y], 2).flatten(1, 2);
            return fc.call(functional.relu(conv2.call(x)).mean([2, 3]));
        });
    }

    /// <summary>Channels beside cheap copies of them (Han et al. 2020).</summary>
    private static Net GhostNet()
    {
        var (primary, norm1, cheap, norm2) = (
            Conv2d(3, 6, 3, padding: 1, bias: false), BatchNorm2d(6), Conv2d(6, 6, 3, padding: 1, groups: 6, bias: false), BatchNorm2d(6));
        var (conv2, fc) = (Conv2d(12, 8, 3, padding: 1), Linear(8, 5));
        return new(new { primary, norm1, cheap, norm2, conv2, fc }, x =>
        {
            x = functional.relu(norm1.call(primary.call(x)));
            x = cat([x, functional.relu(norm2.call(cheap.call(x)))], 1);
            return fc.call(functional.relu(conv2.call(x)).mean([2, 3]));
        });
    }

    /// <summary>Two halves, one through a residual block, side by side and back up to a finer map, as in YOLO.</summary>
    private static Net C2f()
    {
        var (stem, split, inner1, inner2) = (
            Conv2d(3, 8, 3, padding: 1), Conv2d(8, 12, 1), Conv2d(6, 5, 3, padding: 1), Conv2d(5, 6, 3, padding: 1));
        var (merge, last, fc) = (Conv2d(18, 10, 1), Conv2d(18, 8, 3, padding: 1), Linear(8, 5));
        return new(new { stem, split, inner1, inner2, merge, last, fc }, x =>
        {
            x = functional.silu(stem.call(x));
            var halves = functional.silu(split.call(functional.max_pool2d(x, 2))).chunk(2, 1);
            var inner = halves[1].add(functional.silu(inner2.call(functional.silu(inner1.call(halves[1])))), One);
            var coarse = functional.silu(merge.call(cat([halves[0], halves[1], inner], 1)));
            x = cat([functional.interpolate(coarse, scale_factor: [2, 2]), x], 1);
            return fc.call(functional.silu(last.call(x)).mean([2, 3]));
        });
    }

    private static Net DepthMultiplier()
    {
        var (conv1, depthwise, conv2, fc) = (
            Conv2d(3, 6, 3, padding: 1), Conv2d(6, 12, 3, padding: 1, groups: 6), Conv2d(12, 8, 1), Linear(8, 5));
        return new(new { conv1, depthwise, conv2, fc }, x =>
        {
            x = functional.relu(depthwise.call(functional.relu(conv1.call(x))));
            return fc.call(functional.relu(conv2.call(x)).mean([2, 3]));
        });
    }
}
