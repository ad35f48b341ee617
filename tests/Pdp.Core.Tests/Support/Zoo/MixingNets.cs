using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Attention and other products in which channels of queries and keys are normed, squashed or counted.</summary>
internal static class MixingNets
{
    private static readonly Scalar One = 1.0;
    private static readonly Scalar Small = 1e-3;

    public static IReadOnlyList<ZooCase> Cases { get; } =
    [
        Of("NormedQueries", (q, k, v) =>
            Attend(Rms(q), Rms(k), v)) with { Groups = ["v", "proj"], Unsupported = ["q: ", "k: ", "fc: model"] },
        Of("LayerNormedQueries", (q, k, v) =>
            Attend(functional.layer_norm(q, [q.size(-1)]), functional.layer_norm(k, [k.size(-1)]), v)) with { Groups =
                ["v", "proj"], Unsupported = ["q: ", "k: ", "fc: model"] },
        Of("CosineAttention", (q, k, v) => Attend(functional.normalize(q, dim: -1), functional.normalize(k, dim: -1), v)) with
        {
            Groups = ["v", "proj"],
            Either = ["q k"],
            Unsupported = ["fc: model"],
        },
        Of("ScaledByWidth", (q, k, v) => Attend(q.div(tensor(Math.Sqrt(q.size(-1)), q.dtype)), k, v)) with
        {
            Groups = ["v", "proj"],
            Unsupported = ["q: ", "k: ", "fc: model"],
        },
        Of("LinearAttention", (q, k, v) => Linearly(functional.elu(q, 1).add(One, One), functional.elu(k, 1).add(One, One), v)) with
        {
            Groups = ["v", "proj"],
            Unsupported = ["q: ", "k: ", "fc: model"],
        },
        Of("RectifiedAttention", (q, k, v) => Linearly(functional.relu(q), functional.relu(k), v)) with
        {
            Groups = ["v", "proj"],
            Either = ["q k"],
            Unsupported = ["fc: model"],
        },
        Of("CrossCovariance", (q, k, v) => einsum("bcd,btd->btc", einsum("btc,btd->bcd", q, k).softmax(-1), v)) with
        {
            Groups = ["proj"],
            Unsupported = ["q: ", "k: ", "v: ", "fc: model"],
        },
        Of("SoftmaxOfFeatures", (q, k, v) =>
            Linearly(q.softmax(-1), k.softmax(1), v)) with { Groups = ["v", "proj"], Unsupported = ["q: ", "k: ", "fc: model"] },
        Of("DistanceAttention", (q, k, v) => einsum("bts,bsd->btd", cdist(q, k).neg().softmax(-1), v)) with
        {
            Groups = ["v", "proj"],
            Either = ["q k"],
            Unsupported = ["fc: model"],
        },
        Of("Correlation", (q, k, v) => q.mul(k)
            .mean([-1], keepdim: true).sigmoid().mul(v)) with { Groups = ["v", "proj"], Unsupported = ["q: ", "k: ", "fc: model"] },
        Of("CosineGate", (q, k, v) => functional.cosine_similarity(q, k, -1)
            .unsqueeze(-1).sigmoid().mul(v)) with { Groups = ["v", "proj"], Either = ["q k"], Unsupported = ["fc: model"] },
        Of("ScoresAboveFive", (q, k, v) => einsum("bts,bsd->btd", einsum("btd,bsd->bts", q, k).gt((Scalar)5.0).to_type(q.dtype), v)) with
        {
            Groups = [],
            Either = ["q k", "v", "proj"],
            Unsupported = ["fc: model"],
        },
        Of("MeanScoreAboveFive", (q, k, v) => einsum("bts,bsd->btd", einsum("btd,bsd->bts", q, k).div(tensor((double)q.size(-1), q.dtype))
            .gt((Scalar)5.0).to_type(q.dtype), v)) with { Groups = [], Either = ["v", "proj"], Unsupported = ["q: ", "k: ", "fc: model"] },
        Of("HardAttention", (q, k, v) => einsum("bts,bsd->btd", functional.one_hot(einsum("btd,bsd->bts", q, k).argmax(-1), q.size(1))
            .to_type(q.dtype), v)) with { Groups = ["v", "proj"], Either = ["q k"], Unsupported = ["fc: model", "q: ", "k: "] },
    ];

    private static ZooCase Of(string name, Func<Tensor, Tensor, Tensor, Tensor> attend) => new(name, () =>
    {
        var (q, k, v, proj, fc) = (Linear(8, 8), Linear(8, 8), Linear(8, 8), Linear(8, 8), Linear(8, 5));
        return new Net(new { q, k, v, proj, fc }, x => fc.call(functional.relu(proj.call(attend(q.call(x), k.call(x), v.call(x))))));
    }, 5, 8)
    {
        OtherSizes = [[1, 8], [9, 8]],
        Features = -1,
    };

    private static Tensor Rms(Tensor x) => x.div(x.mul(x).mean([-1], keepdim: true).add(Small, One).sqrt());

    private static Tensor Attend(Tensor q, Tensor k, Tensor v) => einsum("bts,bsd->btd", einsum("btd,bsd->bts", q, k).softmax(-1), v);

    private static Tensor Linearly(Tensor q, Tensor k, Tensor v)
    {
        var shares = einsum("btd,bsd->bts", q, k);
        return einsum("bts,bsd->btd", shares.div(shares.sum(-1, keepdim: true).add(Small, One)), v);
    }
}
