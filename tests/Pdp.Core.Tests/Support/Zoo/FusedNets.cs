using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Networks in which one layer makes what several would, and code takes it apart.</summary>
internal static class FusedNets
{
    private const string Mixed = "mixed by code";
    private static readonly Scalar One = 1.0;
    private static readonly long[] Picture = [3, 12, 12];
    private static readonly long[][] Others = [[3, 8, 10]];
    private static readonly long[][] Lengths = [[1, 8], [9, 8]];

    public static IReadOnlyList<ZooCase> Cases { get; } =
    [
        new("FusedHeads", () => Attention(heads: -1, width: 8),
            5, 8) { Groups = ["stem proj", "qkv"], Unsupported = ["head: outputs of the model"], OtherSizes = Lengths, Features = -1 },
        new("FusedHeadsByCount", () => Attention(heads: 2, width: -1), 5, 8)
        {
            Groups = ["stem proj"],
            Unsupported = ["qkv: 2 heads of attention", "head: outputs of the model"],
            OtherSizes = Lengths,
            Features = -1,
        },
        new("FusedKeysAndValues", FusedKeysAndValues,
            5, 8) { Groups = ["stem proj", "q kv"], Unsupported = ["head: outputs of the model"], OtherSizes = Lengths, Features = -1 },
        new("FusedSwiGlu", FusedSwiGlu, 12) { Groups = ["stem down", "wide"], Unsupported = ["head: outputs of the model"] },
        new("InterleavedGlu", () => Halved(x => x.view(x.size(0), -1, 2), x =>
            x.select(-1, 0).mul(x.select(-1, 1).sigmoid())), 12) { Groups = ["wide"], Unsupported = ["fc: outputs of the model"] },
        new("MaximumOfHalves", () =>
            Halved(x => x, x => Parts(x, maximum)), 12) { Groups = ["wide"], Unsupported = ["fc: outputs of the model"] },
        new("GluBehindNorm", GluBehindNorm, Picture)
        {
            Groups = ["wide depthwise", "conv2"],
            Unsupported = ["fc: outputs of the model"],
            OtherSizes = Others,
        },
        new("FusedFilm", FusedFilm, Picture)
        {
            Groups = ["condition (conv1)", "conv2"],
            Unsupported = ["fc: outputs of the model"],
            OtherSizes = Others,
        },
        new("HalfIsOutput", HalfIsOutput, 12) { Unsupported = ["wide: outputs of the model", "fc: outputs of the model"] },
        new("GroupNormOfSingles", () =>
            Normed(8), Picture) { Groups = ["conv1", "conv2"], Unsupported = ["fc: outputs of the model"], OtherSizes = Others },
        new("GroupNormOfPairs", () =>
            Normed(4), Picture) { Groups = ["conv1", "conv2"], Unsupported = ["fc: outputs of the model"], OtherSizes = Others },
        new("GroupNormOfAll", () => Normed(1), Picture)
        {
            Groups = ["conv2"],
            Unsupported = ["conv1: the group norm 'norm' normalizes", "fc: outputs of the model"],
            OtherSizes = Others,
        },
        new("WeightNormalizedReader", WeightNormalized, 12)
        {
            Unsupported = [$"inner: {Mixed} between the two, with direction.value", "fc: outputs of the model"],
        },
        new("IndexedByConstants", IndexedByConstants, 12) { Unsupported = ["inner: does not run", "fc: outputs of the model"] },
        new("Experts", () => Experts(isRouted: false), 12)
        {
            Groups = ["up0", "up1", "down0 down1"],
            Unsupported = [$"gate: {Mixed}", "fc: outputs of the model"],
        },
        new("RoutedExperts", () => Experts(isRouted: true), 12) { Either = ["up0", "up1"], Unsupported = [
            "gate: decide which layers run", "down0: does not run|every pass|together|decide which layers run",
            "down1: does not run|every pass|together|decide which layers run", "fc: outputs of the model",
        ] },
        new("NeverRunNorm", NeverRunNorm, 12)
        {
            Unsupported = ["inner: norm.weight never ran", "norm: never ran", "fc: outputs of the model"],
        },
    ];

    private static Net Attention(int heads, int width)
    {
        var (stem, qkv, proj, head) = (Linear(8, 16), Linear(16, 48), Linear(16, 16), Linear(16, 5));
        return new(new { stem, qkv, proj, head }, x =>
        {
            x = stem.call(x);
            var parts = qkv.call(x).chunk(3, -1).Select(part => Heads(part, heads, width)).ToArray();
            return head.call(x.add(proj.call(Attended(parts[0], parts[1], parts[2])), One));
        });
    }

    private static Net FusedKeysAndValues()
    {
        var (stem, q, kv, proj, head) = (Linear(8, 16), Linear(16, 16), Linear(16, 32), Linear(16, 16), Linear(16, 5));
        return new(new { stem, q, kv, proj, head }, x =>
        {
            x = stem.call(x);
            var parts = kv.call(x).chunk(2, -1).Select(part => Heads(part, -1, 4)).ToArray();
            return head.call(x.add(proj.call(Attended(Heads(q.call(x), -1, 4), parts[0], parts[1])), One));
        });
    }

    private static Tensor Heads(Tensor x, int heads, int width) => x.view(x.size(0), x.size(1), heads, width).transpose(1, 2);

    private static Tensor Attended(Tensor q, Tensor k, Tensor v) =>
        einsum("bhij,bhjd->bhid", einsum("bhid,bhjd->bhij", q, k).softmax(-1), v).transpose(1, 2).flatten(2);

    private static Net FusedSwiGlu()
    {
        var (stem, wide, down, head) = (Linear(12, 10), Linear(10, 32), Linear(16, 10), Linear(10, 5));
        return new(new { stem, wide, down, head }, x =>
        {
            x = stem.call(x);
            return head.call(x.add(down.call(Parts(wide.call(x), (gate, up) => functional.silu(gate).mul(up))), One));
        });
    }

    private static Net Halved(Func<Tensor, Tensor> arrange, Func<Tensor, Tensor> join)
    {
        var (wide, fc) = (Linear(12, 24), Linear(12, 5));
        return new(new { wide, fc }, x => fc.call(join(arrange(wide.call(x)))));
    }

    private static Tensor Parts(Tensor x, Func<Tensor, Tensor, Tensor> join)
    {
        var parts = x.chunk(2, 1);
        return join(parts[0], parts[1]);
    }

    /// <summary>Norm and depthwise convolution see both halves before one gates the other.</summary>
    private static Net GluBehindNorm()
    {
        var (wide, norm, depthwise) = (Conv2d(3, 16, 1), BatchNorm2d(16), Conv2d(16, 16, 3, padding: 1, groups: 16));
        var (conv2, fc) = (Conv2d(8, 6, 3, padding: 1), Linear(6, 5));
        return new(new { wide, norm, depthwise, conv2, fc }, x =>
        {
            x = Parts(depthwise.call(norm.call(wide.call(x))), (a, b) => a.mul(b.sigmoid()));
            return fc.call(functional.relu(conv2.call(x)).mean([2, 3]));
        });
    }

    private static Net FusedFilm()
    {
        var (conv1, condition, conv2, fc) = (Conv2d(3, 8, 3, padding: 1), Linear(3, 16), Conv2d(8, 6, 3, padding: 1), Linear(6, 5));
        return new(new { conv1, condition, conv2, fc }, x =>
        {
            var parts = condition.call(x.mean([2, 3])).unsqueeze(2).unsqueeze(3).chunk(2, 1);
            x = functional.relu(conv1.call(x).mul(parts[0]).add(parts[1], One));
            return fc.call(functional.relu(conv2.call(x)).mean([2, 3]));
        });
    }

    private static Net HalfIsOutput()
    {
        var (wide, fc) = (Linear(12, 24), Linear(12, 5));
        return new(new { wide, fc }, x => Parts(wide.call(x), (a, b) => cat([fc.call(functional.relu(a)), b], 1)));
    }

    private static Net Normed(int groups)
    {
        var (conv1, norm, conv2, fc) = (Conv2d(3, 8, 3, padding: 1), GroupNorm(groups, 8), Conv2d(8, 6, 3, padding: 1), Linear(6, 5));
        return new(new { conv1, norm, conv2, fc }, x =>
            fc.call(functional.relu(conv2.call(functional.relu(norm.call(conv1.call(x))))).mean([2, 3])));
    }

    private static Net WeightNormalized()
    {
        var (inner, direction, length, fc) = (Linear(12, 10), new Learned(8, 10), new Learned(8, 1), Linear(8, 5));
        return new(new { inner, direction, length, fc }, x =>
        {
            var weight = direction.value.mul(length.value).div(direction.value.norm(1, true));
            return fc.call(functional.relu(functional.linear(functional.relu(inner.call(x)), weight)));
        });
    }

    private static Net IndexedByConstants()
    {
        var (inner, fc) = (Linear(12, 10), Linear(5, 5));
        return new(new { inner, fc }, x => fc.call(functional.relu(inner.call(x)).index_select(1, tensor(new long[] { 0, 2, 4, 6, 9 }))));
    }

    /// <summary>Two experts, mixed by a gate's shares or each with the rows that the gate sends to it.</summary>
    private static Net Experts(bool isRouted)
    {
        var (gate, up0, down0, up1, down1, fc) = (
            Linear(12, 2), Linear(12, 10), Linear(10, 6), Linear(12, 10), Linear(10, 6), Linear(6, 5));
        return new(new { gate, up0, down0, up1, down1, fc }, x =>
        {
            var shares = gate.call(x).softmax(-1);
            var chosen = shares.argmax(-1);
            Tensor Expert(Module<Tensor, Tensor> up, Module<Tensor, Tensor> down, int number)
            {
                if (!isRouted)
                    return down.call(functional.relu(up.call(x))).mul(shares.narrow(1, number, 1));
                var rows = chosen.eq(number).nonzero().flatten();
                var made = rows.numel() == 0
                    ? zeros([0, fc.weight!.size(1)], dtype: x.dtype) : down.call(functional.relu(up.call(x.index_select(0, rows))));
                return zeros([x.size(0), fc.weight!.size(1)], dtype: x.dtype).index_add(0, rows, made, One);
            }

            return fc.call(Expert(up0, down0, 0).add(Expert(up1, down1, 1), One));
        });
    }

    /// <summary>A norm that only large batches would run, and that would stay as wide as it is.</summary>
    private static Net NeverRunNorm()
    {
        var (inner, norm, fc) = (Linear(12, 10), BatchNorm1d(10), Linear(10, 5));
        return new(new { inner, norm, fc }, x =>
        {
            x = inner.call(x);
            return fc.call(functional.relu(x.size(0) > 100 ? norm.call(x) : x));
        });
    }
}
