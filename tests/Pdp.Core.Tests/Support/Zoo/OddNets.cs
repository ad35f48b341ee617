using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Networks in which it matters which channel is which, how many there are, or what was before.</summary>
internal static class OddNets
{
    private static readonly Scalar Half = 0.5;
    private static readonly Scalar One = 1.0;
    private static readonly long[] Picture = [3, 12, 12];
    private static readonly long[][] Others = [[3, 8, 10]];

    public static IReadOnlyList<ZooCase> Cases { get; } =
    [
        Between("FirstChannelGates", x => x.mul(x.narrow(1, 0, 1).sigmoid())),
        Between("LastChannelGates", x => x.mul(x.narrow(1, x.size(1) - 1, 1).sigmoid())),
        Between("ChannelsFlipped", x => x.add(x.flip(1), One)),
        Between("ChannelsRolled", x => x.add(x.roll(1, 1), One)),
        Between("ChannelStd", x => x.div(x.std(1, false, true).add(Half, One))),
        Between("TopChannels", x => x.mul(x.ge(x.topk(4, 1).values.amin([1], keepdim: true)))),
        Between("CumulativeSum", x => x.cumsum(1)),
        Between("ScaledByCount", x => x.div(tensor(Math.Sqrt(x.size(1)), x.dtype))),
        new("FixedHalves", FixedHalves, Picture) { Groups = ["a b"], Unsupported = ["conv1: ", "fc: model"], OtherSizes = Others },
        new("GramMatrix", GramMatrix, Picture) { Either = ["conv1"], Groups = ["fc1"], Unsupported = ["fc2: model"], OtherSizes = Others },
        new("DepthwiseOverConcatenation", DepthwiseOverConcatenation,
            Picture) { Groups = ["conv2"], Either = ["a depthwise", "b depthwise"], Unsupported = ["fc: model"], OtherSizes = Others },
        new("TalkingHeads", TalkingHeads, 5, 8)
        {
            Groups = ["proj"],
            Either = ["q k", "mix v", "mix"],
            Unsupported = ["fc: model"],
            OtherSizes = [[1, 8], [9, 8]],
            Features = -1,
        },
        new("ElmanCell", ElmanCell, 5, 6) { Groups = ["now before"], Unsupported = ["fc: model"], OtherSizes = [[2, 6], [9, 6]] },
        new("GatedCell", GatedCell, 5, 6)
        {
            Groups = ["now before (gateNow gateBefore)"],
            Unsupported = ["fc: model"],
            OtherSizes = [[2, 6], [9, 6]],
        },
        new("OtherHeadForOne", OtherHeadForOne, Picture) { Either = ["conv1"], Unsupported = ["one: ", "several: "], OtherSizes = Others },
    ];

    /// <summary>Something between two convolutions that a channel cut out would change.</summary>
    private static ZooCase Between(string name, Func<Tensor, Tensor> between) => new(name, () =>
    {
        var (conv1, conv2, fc) = (Conv2d(3, 12, 3, padding: 1), Conv2d(12, 8, 3, padding: 1), Linear(8, 5));
        return new Net(new { conv1, conv2, fc }, x => fc.call(functional.relu(conv2.call(between(conv1.call(x)))).mean([2, 3])));
    }, Picture)
    {
        Groups = ["conv2"],
        Unsupported = ["conv1: ", "fc: model"],
        OtherSizes = Others,
    };

    /// <summary>Two layers that read set channels of one.</summary>
    private static Net FixedHalves()
    {
        var (conv1, a, b, fc) = (Conv2d(3, 12, 3, padding: 1), Conv2d(6, 8, 3, padding: 1), Conv2d(6, 8, 1), Linear(8, 5));
        return new(new { conv1, a, b, fc }, x =>
        {
            x = functional.relu(conv1.call(x));
            return fc.call(functional.relu(a.call(x.narrow(1, 0, 6)).add(b.call(x.narrow(1, 6, 6)), One)).mean([2, 3]));
        });
    }

    /// <summary>A classifier of the products of all pairs of channels.</summary>
    private static Net GramMatrix()
    {
        var (conv1, fc1, fc2) = (Conv2d(3, 6, 3, padding: 1), Linear(36, 10), Linear(10, 5));
        return new(new { conv1, fc1, fc2 }, x =>
        {
            x = functional.relu(conv1.call(x)).flatten(2);
            return fc2.call(functional.relu(fc1.call(einsum("bin,bjn->bij", x, x).flatten(1))));
        });
    }

    private static Net DepthwiseOverConcatenation()
    {
        var (a, b, depthwise) = (Conv2d(3, 4, 3, padding: 1), Conv2d(3, 8, 1), Conv2d(12, 12, 3, padding: 1, groups: 12));
        var (conv2, fc) = (Conv2d(12, 8, 1), Linear(8, 5));
        return new(new { a, b, depthwise, conv2, fc }, x =>
        {
            x = functional.relu(depthwise.call(cat([functional.relu(a.call(x)), functional.relu(b.call(x))], 1)));
            return fc.call(functional.relu(conv2.call(x)).mean([2, 3]));
        });
    }

    /// <summary>Attention whose scores are mixed across the heads (Shazeer et al. 2020).</summary>
    private static Net TalkingHeads()
    {
        var (q, k, v, mix, proj, fc) = (Linear(8, 8), Linear(8, 8), Linear(8, 8), Linear(4, 4), Linear(8, 8), Linear(8, 5));
        return new(new { q, k, v, mix, proj, fc }, x =>
        {
            static Tensor Heads(Tensor all) => all.unflatten(2, [-1, 2]);
            var scores = mix.call(einsum("bthd,bshd->btsh", Heads(q.call(x)), Heads(k.call(x))).mul(Half)).softmax(2);
            return fc.call(functional.relu(proj.call(einsum("btsh,bshd->bthd", scores, Heads(v.call(x))).flatten(2))));
        });
    }

    /// <summary>A recurrent cell (Elman 1990), in which silent states stay silent.</summary>
    private static Net ElmanCell()
    {
        var (now, before, fc) = (Linear(6, 10), Linear(10, 10), Linear(10, 5));
        return new(new { now, before, fc }, x =>
        {
            var state = now.call(x.select(1, 0)).tanh();
            for (var time = 1; time < x.size(1); time++)
                state = now.call(x.select(1, time)).add(before.call(state), One).tanh();
            return fc.call(state);
        });
    }

    /// <summary>A recurrent cell that keeps a part of its state, as in GRU (Cho et al. 2014).</summary>
    private static Net GatedCell()
    {
        var (now, before, gateNow, gateBefore, fc) = (Linear(6, 10), Linear(10, 10), Linear(6, 10), Linear(10, 10), Linear(10, 5));
        return new(new { now, before, gateNow, gateBefore, fc }, x =>
        {
            var state = now.call(x.select(1, 0)).tanh();
            for (var time = 1; time < x.size(1); time++)
            {
                var input = x.select(1, time);
                var gate = gateNow.call(input).add(gateBefore.call(state), One).sigmoid();
                var made = now.call(input).add(before.call(state), One).tanh();
                state = made.add(gate.mul(state.sub(made)), One);
            }

            return fc.call(state);
        });
    }

    /// <summary>A head for batches of one, and another for others.</summary>
    private static Net OtherHeadForOne()
    {
        var (conv1, one, several) = (Conv2d(3, 10, 3, padding: 1), Linear(10, 5), Linear(10, 5));
        return new(new { conv1, one, several }, x =>
        {
            x = functional.relu(conv1.call(x)).mean([2, 3]);
            return x.size(0) == 1 ? one.call(x) : several.call(x);
        });
    }
}
