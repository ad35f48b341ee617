using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Networks that choose among channels, count them or combine them, between two convolutions.</summary>
internal static class SelectionNets
{
    private static readonly Scalar One = 1.0;
    private static readonly Scalar Two = 2.0;
    private static readonly Scalar Tiny = 1e-3;

    public static IReadOnlyList<ZooCase> Cases { get; } =
    [
        Refused("MedianGates", "mixed by code", x => x.mul(x.kthvalue((x.size(1) + 1) / 2, 1, true).values.sigmoid())),
        Refused("LeastGates", "a zero acts on other", x => x.mul(x.amin([1], keepdim: true).add(One, One))),
        Refused("PlaceOfGreatest", "mixed by code", x => x.mul(x.argmax(1, keepdim: true).to(x.dtype).add(One, One).reciprocal())),
        Refused("SumOfExponentials", "mixed by code", x => x.mul(x.logsumexp(1, true).sigmoid())),
        Refused("ThreeParts", "other order|mixed by code", x => x.unflatten(1, [3, -1])
            .mul(x.unflatten(1, [3, -1]).mean([1], keepdim: true).sigmoid()).flatten(1, 2)),
        Refused("Quantile", "mixed by code", x => x.mul(
            x.flatten(1).quantile(tensor(0.5, x.dtype), 1, true).sigmoid().unsqueeze(2).unsqueeze(3))),
        Refused("MeanInTraining", "in training mode", (net, x) => net.training ? x.mul(x.mean([1], keepdim: true).sigmoid()) : x),
        Refused("GreatestInTraining", "in training mode", (net, x) => net.training ? x.sub(One)
            .mul(x.sub(One).amax([1], keepdim: true).sigmoid()) : x),
        // Zeros count for nothing, add nothing and are never the only ones that are positive.
        Found("CountOfActive", x => x.mul(x.gt(0).to(x.dtype).sum(1, keepdim: true).add(One, One).reciprocal())),
        Found("MeanOfActive", x => x.mul(x.sum(1, keepdim: true).div(x.gt(0).to(x.dtype).sum(1, keepdim: true).add(Tiny, One)).sigmoid())),
        Found("ProductOfAll", x => x.mul(x.add(One, One).prod(1, keepdim: true).tanh())),
        Found("ClampedSum", x => x.mul(x.sum(1, keepdim: true).clamp(0, 1e-3))),
        Found("Correlations", x => Correlated(x.flatten(2)).view(x.shape)),
        // A value that is rarely reached may do anything.
        Found("RareGreatest", x =>
            where(x.amax([1], keepdim: true).gt(50.0), x.mul(Two), x)) with { Groups = ["conv2"], Either = ["conv1"] },
    ];

    private static Tensor Correlated(Tensor channels) =>
        matmul(matmul(channels, channels.transpose(1, 2)).div((double)channels.size(2)), channels);

    private static ZooCase Refused(string name, string reason, Func<Tensor, Tensor> between) => Refused(name, reason, (_, x) => between(x));

    private static ZooCase Refused(string name, string reason, Func<Net, Tensor, Tensor> between) =>
        Of(name, between) with { Groups = ["conv2"], Unsupported = [$"conv1: {reason}", "fc: model"] };

    private static ZooCase Found(string name, Func<Tensor, Tensor> between) =>
        Of(name, (_, x) => between(x)) with { Groups = ["conv1", "conv2"], Unsupported = ["fc: model"] };

    private static ZooCase Of(string name, Func<Net, Tensor, Tensor> between) => new(name, () =>
    {
        var (conv1, conv2, fc) = (Conv2d(3, 12, 3, padding: 1), Conv2d(12, 8, 3, padding: 1), Linear(8, 5));
        return new Net(new { conv1, conv2, fc }, (net, x) =>
            fc.call(functional.relu(conv2.call(between(net, functional.relu(conv1.call(x))))).mean([2, 3])));
    }, 3, 8, 8)
    {
        OtherSizes = [[3, 6, 10]],
    };
}
