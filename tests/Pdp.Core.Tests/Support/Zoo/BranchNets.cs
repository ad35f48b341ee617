using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Networks whose passes branch, or that have several heads.</summary>
internal static class BranchNets
{
    private static readonly Scalar One = 1.0;

    public static IReadOnlyList<ZooCase> Cases { get; } =
    [
        new("AuxiliaryHead", AuxiliaryHead, 3, 12, 12)
        {
            Groups = ["conv1", "conv2"],
            Unsupported = ["aux: model", "fc: model"],
            OtherSizes = [[3, 8, 10]],
        },
        new("AuxiliaryMaximum", AuxiliaryMaximum, 3, 8, 8)
        {
            Groups = ["conv2"],
            Unsupported = ["conv1: mixed by code", "aux: mixed by code", "gate: only channel", "fc: model"],
            OtherSizes = [[3, 8, 12]],
        },
        new("EarlyExit", EarlyExit, 3, 12, 12) { Either = ["conv1", "conv2"], Unsupported = ["exit: ", "fc: "], OtherSizes = [[3, 8, 10]] },
        new("Inception", Inception, 3, 12, 12)
        {
            Groups = ["stem", "point", "reduce", "wide", "pooled", "last"],
            Unsupported = ["fc: model"],
            OtherSizes = [[3, 8, 10]],
        },
        new("SharedHead", SharedHead, 3, 12, 12)
        {
            Groups = ["conv1", "conv2", "fine coarse", "tower"],
            Unsupported = ["classes: model"],
            OtherSizes = [[3, 8, 20]],
        },
        new("Siamese", Siamese, 2, 3, 12, 12) { Groups = ["conv1", "conv2"], Unsupported = ["fc: model"], OtherSizes = [[2, 3, 8, 10]] },
        new("TwoTowers", TwoTowers, 2, 12) { Groups = ["inner"], Either = ["a b"] },
        new("Maxout", Maxout, 12) { Groups = ["a b"], Unsupported = ["fc: model"] },
        new("InputSkip", InputSkip, 3, 12, 12) { Groups = ["conv1", "conv2"], Unsupported = ["fc: model"], OtherSizes = [[3, 8, 10]] },
        new("PreActivation", PreActivation, 3, 12, 12)
        {
            Groups = ["stem conv2", "conv1"],
            Unsupported = ["fc: model"],
            OtherSizes = [[3, 8, 10]],
        },
        new("TiedEmbedding", TiedEmbedding, 6)
        {
            Groups = ["inner"],
            Unsupported = ["outer: else is added", "head: model"],
            OtherSizes = [[3]],
            Vocabulary = 11,
            Features = -1,
        },
    ];

    /// <summary>A head halfway that only training sees.</summary>
    private static Net AuxiliaryHead()
    {
        var (conv1, conv2, aux, fc) = (Conv2d(3, 10, 3, padding: 1), Conv2d(10, 8, 3, padding: 1), Linear(10, 5), Linear(8, 5));
        return new(new { conv1, conv2, aux, fc }, (net, x) =>
        {
            x = functional.relu(conv1.call(x));
            var y = fc.call(functional.relu(conv2.call(x)).mean([2, 3]));
            return net.training ? y.add(aux.call(x.mean([2, 3])), One) : y;
        });
    }

    /// <summary>
    /// A gate by the greatest channel, which is positive in evaluation alone: a zero among negative ones would win in training.
    /// </summary>
    private static Net AuxiliaryMaximum()
    {
        var (conv1, aux, gate) = (Conv2d(3, 6, 3, padding: 1), Conv2d(6, 6, 1, bias: false), Conv2d(1, 1, 1));
        var (conv2, fc) = (Conv2d(6, 8, 3, padding: 1), Linear(8, 5));
        return new(new { conv1, aux, gate, conv2, fc }, (net, x) =>
        {
            x = functional.relu(conv1.call(x));
            x = net.training ? x.add(aux.call(x), One) : x;
            x = x.mul(gate.call(x.amax([1], keepdim: true)).sigmoid());
            return fc.call(functional.relu(conv2.call(x)).mean([2, 3]));
        });
    }

    /// <summary>Words compared with the rows of the table that they are looked up in (Press and Wolf 2017).</summary>
    private static Net TiedEmbedding()
    {
        var (embedding, inner, outer, head) = (Embedding(11, 8), Linear(8, 12), Linear(12, 8), Linear(8, 11, hasBias: false));
        head.weight = embedding.weight!;
        return new(new { embedding, inner, outer, head }, x =>
        {
            x = embedding.call(x);
            return head.call(x.add(outer.call(functional.relu(inner.call(x))), One));
        });
    }

    /// <summary>An answer halfway if it is a sure one, which depends on the data.</summary>
    private static Net EarlyExit()
    {
        var (conv1, conv2, exit, fc) = (Conv2d(3, 10, 3, padding: 1), Conv2d(10, 8, 3, padding: 1), Linear(10, 5), Linear(8, 5));
        return new(new { conv1, conv2, exit, fc }, x =>
        {
            x = functional.relu(conv1.call(x));
            var early = exit.call(x.mean([2, 3]));
            return early.detach().softmax(1).amax().to_type(ScalarType.Float32).ReadCpuSingle(0) > 0.5f
                ? early : fc.call(functional.relu(conv2.call(x)).mean([2, 3]));
        });
    }

    /// <summary>Branches of several widths side by side (Szegedy et al. 2015).</summary>
    private static Net Inception()
    {
        var (stem, point, reduce, wide, pooled) = (
            Conv2d(3, 8, 3, padding: 1), Conv2d(8, 4, 1), Conv2d(8, 5, 1), Conv2d(5, 6, 3, padding: 1), Conv2d(8, 3, 1));
        var (last, fc) = (Conv2d(13, 10, 3, padding: 1), Linear(10, 5));
        return new(new { stem, point, reduce, wide, pooled, last, fc }, x =>
        {
            x = functional.relu(stem.call(x));
            var branches = cat(
                [point.call(x), wide.call(functional.relu(reduce.call(x))), pooled.call(functional.max_pool2d(x, 3, 1, 1))], 1);
            return fc.call(functional.relu(last.call(functional.relu(branches))).mean([2, 3]));
        });
    }

    /// <summary>One head for two levels of a pyramid, the coarse one added to the fine one (Lin et al. 2017).</summary>
    private static Net SharedHead()
    {
        var (conv1, conv2, fine, coarse) = (
            Conv2d(3, 8, 3, padding: 1), Conv2d(8, 10, 3, stride: 2, padding: 1), Conv2d(8, 6, 1), Conv2d(10, 6, 1));
        var (tower, classes) = (Conv2d(6, 7, 3, padding: 1), Conv2d(7, 4, 1));
        return new(new { conv1, conv2, fine, coarse, tower, classes }, x =>
        {
            Tensor Head(Tensor level) => classes.call(functional.relu(tower.call(level))).flatten(2);
            x = functional.relu(conv1.call(x));
            var low = coarse.call(functional.relu(conv2.call(x)));
            var high = fine.call(x).add(functional.interpolate(low, [x.size(2), x.size(3)]), One);
            return cat([Head(high), Head(low)], 2);
        });
    }

    /// <summary>The distance of two pictures behind the same layers (Bromley et al. 1993).</summary>
    private static Net Siamese()
    {
        var (conv1, conv2, fc) = (Conv2d(3, 8, 3, padding: 1), Conv2d(8, 10, 3, padding: 1), Linear(10, 5));
        return new(new { conv1, conv2, fc }, x =>
        {
            Tensor Encode(Tensor picture) => functional.relu(conv2.call(functional.relu(conv1.call(picture)))).mean([2, 3]);
            return fc.call(Encode(x.select(1, 0)).sub(Encode(x.select(1, 1))).abs());
        });
    }

    /// <summary>The product of two embeddings, which nothing with weights reads.</summary>
    private static Net TwoTowers()
    {
        var (inner, a, b) = (Linear(12, 10), Linear(10, 8), Linear(12, 8));
        return new(new { inner, a, b }, x => a.call(functional.relu(inner.call(x.select(1, 0))))
            .mul(b.call(x.select(1, 1))).sum(1, keepdim: true));
    }

    /// <summary>The greater of two layers (Goodfellow et al. 2013), of which silent channels give silence.</summary>
    private static Net Maxout()
    {
        var (a, b, fc) = (Linear(12, 10), Linear(12, 10), Linear(10, 5));
        return new(new { a, b, fc }, x => fc.call(maximum(a.call(x), b.call(x))));
    }

    private static Net InputSkip()
    {
        var (conv1, conv2, fc) = (Conv2d(3, 8, 3, padding: 1), Conv2d(11, 8, 3, padding: 1), Linear(11, 5));
        return new(new { conv1, conv2, fc }, x =>
        {
            var y = cat([x, functional.relu(conv1.call(x))], 1);
            return fc.call(cat([functional.relu(conv2.call(y)), x], 1).mean([2, 3]));
        });
    }

    /// <summary>Norms in front of the convolutions of a block (He et al. 2016).</summary>
    private static Net PreActivation()
    {
        var (stem, norm1, conv1, norm2) = (Conv2d(3, 8, 3, padding: 1), BatchNorm2d(8), Conv2d(8, 6, 3, padding: 1), BatchNorm2d(6));
        var (conv2, norm3, fc) = (Conv2d(6, 8, 3, padding: 1), BatchNorm2d(8), Linear(8, 5));
        return new(new { stem, norm1, conv1, norm2, conv2, norm3, fc }, x =>
        {
            x = stem.call(x);
            var y = conv1.call(functional.relu(norm1.call(x)));
            x = x.add(conv2.call(functional.relu(norm2.call(y))), One);
            return fc.call(functional.relu(norm3.call(x)).mean([2, 3]));
        });
    }
}
