using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>What random networks are made of; each block adds its layers and its pass.</summary>
internal static class RandomBlocks
{
    private static readonly Scalar One = 1.0;
    private static readonly Scalar Half = 0.5;

    public static IReadOnlyList<Action<RandomNet>> All { get; } =
    [
        Convolution, Convolution, Residual, Residual, Inverted, Concatenation, Gate, Pixels, Product, Grouped, Pool, Halves, Upsampling,
        Meeting,
        Attention, Greatest, Auxiliary, Neighbours, Scale, Condition, Depthwise, Twice,
    ];

    /// <summary>A convolution with a norm or without one, and an activation.</summary>
    public static void Convolution(RandomNet net)
    {
        var width = net.Width();
        var (conv, norm, activation) = (net.Conv(net.Channels, width, net.Pick(1, 3)), Norm(net, width), Activation(net));
        net.Channels = width;
        net.Add($"conv{width}({norm.Words}, {activation.Words})", x => activation.Pass(norm.Pass(conv.call(x))));
    }

    private static (string Words, Func<Tensor, Tensor> Pass) Norm(RandomNet net, int width)
    {
        switch (net.Next(8))
        {
            case 0 or 1 or 2:
                var batch = net.Layer(BatchNorm2d(width));
                return ("batch", batch.call);
            case 3:
                var instance = net.Layer(InstanceNorm2d(width, affine: true));
                return ("instance", instance.call);
            case 4 when net.Next(2) == 0 && width % 2 == 0:
                var group = net.Layer(GroupNorm(2, width));
                return ("group", group.call);
            case 5 when net.Next(2) == 0:
                var layer = net.Layer(LayerNorm(width));
                return ("layer", x => layer.call(x.movedim([1], [-1])).movedim([-1], [1]));
            default:
                return ("no norm", x => x);
        }
    }

    private static (string Words, Func<Tensor, Tensor> Pass) Activation(RandomNet net) => net.Next(14) switch
    {
        0 => ("silu", x => functional.silu(x)),
        1 => ("gelu", x => functional.gelu(x)),
        2 => ("tanh", x => x.tanh()),
        3 => ("sigmoid", x => x.sigmoid()),
        4 => ("hardswish", x => functional.hardswish(x)),
        5 => ("softplus", x => functional.softplus(x)),
        6 => ("leaky", x => functional.leaky_relu(x, 0.1)),
        7 => ("none", x => x),
        _ => ("relu", x => functional.relu(x)),
    };

    private static void Residual(RandomNet net)
    {
        var (channels, inner) = (net.Channels, net.Width());
        var (conv1, norm1, activation) = (net.Conv(channels, inner), Norm(net, inner), Activation(net));
        var (conv2, norm2, behind) = (net.Conv(inner, channels, net.Pick(1, 3)), Norm(net, channels), Activation(net));
        net.Add($"residual{inner}({norm1.Words}, {activation.Words}, {norm2.Words}, {behind.Words})", x =>
            behind.Pass(x.add(norm2.Pass(conv2.call(activation.Pass(norm1.Pass(conv1.call(x))))), One)));
    }

    private static void Inverted(RandomNet net)
    {
        var (channels, inner) = (net.Channels, net.Width());
        var (expand, depthwise, project) = (
            net.Conv(channels, inner, 1), net.Conv(inner, inner, groups: inner), net.Conv(inner, channels, 1));
        var (norm1, norm2, activation) = (Norm(net, inner), Norm(net, inner), Activation(net));
        net.Add($"inverted{inner}({norm1.Words}, {norm2.Words}, {activation.Words})", x =>
            x.add(project.call(activation.Pass(norm2.Pass(depthwise.call(activation.Pass(norm1.Pass(expand.call(x))))))), One));
    }

    private static void Concatenation(RandomNet net)
    {
        var width = net.Width();
        var (conv, activation, isBehind) = (net.Conv(net.Channels, width), Activation(net), net.Next(2) == 0);
        net.Channels += width;
        net.Add($"cat{width}({activation.Words})", x => cat(
            isBehind ? [x, activation.Pass(conv.call(x))] : [activation.Pass(conv.call(x)), x], 1));
    }

    private static void Gate(RandomNet net)
    {
        var (squeeze, excite, isHard) = (net.Layer(Linear(net.Channels, 4)), net.Layer(Linear(4, net.Channels)), net.Next(2) == 0);
        net.Add("gate", x =>
        {
            var gate = excite.call(functional.relu(squeeze.call(x.mean([2, 3]))));
            return x.mul((isHard ? functional.hardsigmoid(gate) : gate.sigmoid()).unsqueeze(2).unsqueeze(3));
        });
    }

    /// <summary>A gate for each pixel, from all of its channels.</summary>
    private static void Pixels(RandomNet net)
    {
        var kind = net.Pick("amax", "mean", "conv");
        var gate = net.Conv(kind == "conv" ? net.Channels : 1, 1);
        net.Add($"pixels({kind})", x => x.mul(
            gate.call(kind switch { "amax" => x.amax([1], keepdim: true), "mean" => x.mean([1], keepdim: true), _ => x }).sigmoid()));
    }

    private static void Product(RandomNet net)
    {
        var width = net.Width();
        var (a, b, activation) = (net.Conv(net.Channels, width, 1), net.Conv(net.Channels, width, 1), Activation(net));
        net.Channels = width;
        net.Add($"product{width}({activation.Words})", x => a.call(x).mul(activation.Pass(b.call(x))));
    }

    private static void Grouped(RandomNet net)
    {
        if (net.Channels % 2 != 0)
            return;

        var (conv, isShuffled) = (net.Conv(net.Channels, net.Channels, groups: 2), net.Next(3) == 0);
        net.Add(isShuffled ? "shuffled groups" : "groups", x => functional.relu(
            conv.call(isShuffled ? x.unflatten(1, [2, -1]).transpose(1, 2).flatten(1, 2) : x)));
    }

    private static void Pool(RandomNet net)
    {
        var isMaximum = net.Next(2) == 0;
        net.Add(isMaximum ? "max pool" : "mean pool", x =>
            isMaximum ? functional.max_pool2d(x, 3, 1, 1) : functional.avg_pool2d(x, 3, 1, 1));
    }

    /// <summary>One half of the channels scaled by the other, or added to what is made of it.</summary>
    private static void Halves(RandomNet net)
    {
        if (net.Channels % 2 != 0)
            return;

        var (half, isProduct) = (net.Channels / 2, net.Next(2) == 0);
        var conv = net.Conv(half, half);
        net.Channels = isProduct ? half : net.Channels;
        net.Add(isProduct ? "halves multiplied" : "halves", x =>
        {
            var halves = x.chunk(2, 1);
            var made = conv.call(halves[1]);
            return isProduct ? halves[0].mul(made.sigmoid()) : cat([halves[0], functional.relu(made)], 1);
        });
    }

    private static void Upsampling(RandomNet net)
    {
        var width = net.Width();
        var (down, up) = (net.Conv(net.Channels, width), net.Layer(ConvTranspose2d(width, width, 2, stride: 2)));
        net.Channels += width;
        net.Add($"up{width}", x => cat([functional.relu(up.call(functional.relu(down.call(functional.max_pool2d(x, 2))))), x], 1));
    }

    /// <summary>Channels that meet others without weights: divided by them, in another order, or added up.</summary>
    private static void Meeting(RandomNet net)
    {
        var kind = net.Pick("unit", "root mean square",
            "softmax", "local", "deviation", "flip", "roll", "greatest four", "sum so far", "first gates", "last gates");
        var local = kind == "local" ? net.Layer(LocalResponseNorm(3, alpha: 1)) : null;
        net.Add(kind, x => kind switch
        {
            "unit" => x.div(x.norm(1, keepdim: true).add(Half, One)),
            "root mean square" => x.div(x.mul(x).mean([1], keepdim: true).add(Half, One).sqrt()),
            "softmax" => x.mul(x.softmax(1)),
            "deviation" => x.div(x.std(1, false, true).add(Half, One)),
            "flip" => x.add(x.flip(1), One),
            "roll" => x.add(x.roll(1, 1), One),
            "greatest four" => x.mul(x.ge(x.topk((int)Math.Min(4, x.size(1)), 1).values.amin([1], keepdim: true))),
            "sum so far" => x.cumsum(1),
            "first gates" => x.mul(x.narrow(1, 0, 1).sigmoid()),
            "last gates" => x.mul(x.narrow(1, x.size(1) - 1, 1).sigmoid()),
            _ => local!.call(x),
        });
    }

    private static void Attention(RandomNet net)
    {
        var (channels, isByWidth, heads) = (net.Channels, net.Next(2) == 0, net.Pick(1, 2));
        if (channels % 2 != 0)
            return;

        var (q, k, v, back) = (
            net.Layer(Linear(channels, 8)), net.Layer(Linear(channels, 8)), net.Layer(Linear(channels, 8)), net.Layer(Linear(8, channels)));
        net.Add($"attention{heads}({(isByWidth ? "by width" : "by number")})", x =>
        {
            Tensor Heads(Tensor all) => isByWidth ? all.unflatten(2, [-1, 8 / heads]) : all.unflatten(2, [heads, -1]);
            var tokens = x.flatten(2).transpose(1, 2);
            var seen = back.call(AttentionNets.Attend(Heads(q.call(tokens)), Heads(k.call(tokens)), Heads(v.call(tokens))));
            return x.add(seen.transpose(1, 2).unflatten(2, [x.size(2), x.size(3)]), One);
        });
    }

    private static void Greatest(RandomNet net)
    {
        var (width, isOfSets) = (net.Width(), net.Next(2) == 0 && net.Channels % 2 == 0);
        var (a, b) = (isOfSets ? null : net.Conv(net.Channels, width), isOfSets ? null : net.Conv(net.Channels, width));
        net.Channels = isOfSets ? 2 : width;
        net.Add(isOfSets ? "greatest of sets" : $"greatest{width}", x => isOfSets ? x.unflatten(1, [2, -1])
            .amax([2]) : maximum(a!.call(x), b!.call(x)));
    }

    /// <summary>A path that only training takes.</summary>
    private static void Auxiliary(RandomNet net)
    {
        var aux = net.Conv(net.Channels, net.Channels, 1);
        net.Add("auxiliary", (model, x) => model.training ? x.add(aux.call(x), One) : x);
    }

    private static void Neighbours(RandomNet net)
    {
        var conv = net.Layer(Conv1d(1, 1, 3, padding: 1, bias: false));
        net.Add("neighbours", x => x.mul(conv.call(x.mean([2, 3]).unsqueeze(1)).sigmoid().squeeze(1).unsqueeze(2).unsqueeze(3)));
    }

    private static void Scale(RandomNet net)
    {
        var scale = net.Layer(new Learned(net.Channels, 1, 1));
        net.Add("scale", x => x.mul(scale.value));
    }

    private static void Condition(RandomNet net)
    {
        var (scale, shift) = (net.Layer(Linear(net.Channels, net.Channels)), net.Layer(Linear(net.Channels, net.Channels)));
        net.Add("condition", x =>
        {
            var condition = x.mean([2, 3]);
            return x.mul(scale.call(condition).unsqueeze(2).unsqueeze(3)).add(shift.call(condition).unsqueeze(2).unsqueeze(3), One);
        });
    }

    private static void Depthwise(RandomNet net)
    {
        var (conv, norm, activation) = (
            net.Conv(net.Channels, net.Channels, groups: net.Channels), Norm(net, net.Channels), Activation(net));
        net.Add($"depthwise residual({norm.Words}, {activation.Words})", x => x.add(activation.Pass(norm.Pass(conv.call(x))), One));
    }

    /// <summary>A convolution that is used twice.</summary>
    private static void Twice(RandomNet net)
    {
        var (conv, activation) = (net.Conv(net.Channels, net.Channels), Activation(net));
        net.Add($"twice({activation.Words})", x => activation.Pass(conv.call(activation.Pass(conv.call(x)))));
    }
}
