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
        new("AuxiliaryHead", AuxiliaryHead, 3, 12, 12) { Groups = ["conv1", "conv2"], Refused = ["aux: model", "fc: model"], OtherSizes = [[3, 8, 10]] },
        new("TiedEmbedding", TiedEmbedding, 6) { Groups = ["inner"], Refused = ["outer: mix|changes|model", "head: model"], OtherSizes = [[3]], Vocabulary = 11, Features = -1 },
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
}
