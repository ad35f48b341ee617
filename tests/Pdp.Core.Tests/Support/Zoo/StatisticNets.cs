using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Networks in which a layer's channels are counted, sorted, averaged or moved before the next layer reads them.</summary>
internal static class StatisticNets
{
    private static readonly Scalar One = 1.0;
    private static readonly Scalar Half = 0.5;
    private static readonly long[] Picture = [3, 12, 12];
    private static readonly long[][] Others = [[3, 8, 10]];

    public static IReadOnlyList<ZooCase> Cases { get; } =
    [
        Wrong("Centred", x => x.sub(x.mean([1], keepdim: true))) with { Groups = [], Either = ["conv2"] },
        Wrong("Sorted", x => x.sort(1).Values),
        Wrong("RunningMaximum", x => x.cummax(1).values),
        Wrong("DividedByGreatest", x => x.div(x.amax([1], keepdim: true).exp().add(One, One))),
        Wrong("GateByMedian", x => x.mul(x.sort(1).Values.narrow(1, x.size(1) / 2, 1).sigmoid())),
        Wrong("GateByQuantile", x => x.mul(
            x.quantile(tensor(0.75, x.dtype), 1, true).reshape(x.size(0), 1, x.size(2), x.size(3)).sigmoid())),
        Wrong("GateByLogSumExp", x => x.mul(x.logsumexp(1, true).sigmoid())),
        Wrong("GateByEntropy", x => x.mul(Entropy(x.softmax(1)))),
        Wrong("OnlyTheGreatest", x => x.mul(x.eq(x.amax([1], keepdim: true)))),
        Wrong("RoutedByGreatest", x => x.mul(x.mean([2, 3]).argmax(1).to_type(x.dtype).reshape(-1, 1, 1, 1))),
        Wrong("SpectrumOfChannels", x => fft.fft_(x, dim: 1).abs()),
        Wrong("ResizedChannels", x => functional.adaptive_avg_pool1d(x.flatten(2).transpose(1, 2), 12).transpose(1, 2).unflatten(
            2, [x.size(2), x.size(3)])),
        Wrong("PooledChannels", x => functional.avg_pool1d(x.flatten(2).transpose(1, 2), 3, 1, 1).transpose(1, 2).unflatten(
            2, [x.size(2), x.size(3)])),
        Wrong("MeanBesideChannels", x => x.add(cat([x.mean([1], keepdim: true), zeros_like(x.narrow(1, 1, x.size(1) - 1))], 1), One)),
        Wrong("BatchDeviation", x => x.add(x.std(0, false, true).mean(), One)),
        Wrong("FirstHalfDoubled", x => cat([x.narrow(1, 0, x.size(1) / 2)
            .add(x.narrow(1, 0, x.size(1) / 2), One), x.narrow(1, x.size(1) / 2, x.size(1) - (x.size(1) / 2))], 1)),
        Wrong("AsymmetricQuantization", x => Quantized(x, x.amin(), x.amax())),
        Wrong("SharesOfAll", x => x.div(x.exp().sum(1, keepdim: true))),
        Wrong("ChannelAttention", x => einsum("bcd,bdhw->bchw", einsum("bchw,bdhw->bcd", x, x).softmax(2), x)),
        Wrong("DistanceToMean", x => x.mul(x.sub(x.mean([1], keepdim: true)).abs().mean([1], keepdim: true).sigmoid())),

        // Silent channels add nothing to these.
        Right("SymmetricQuantization", x => Quantized(x, x.abs().amax().neg(), x.abs().amax()), isEither: true),
        Right("DividedByLength", x => functional.normalize(x, dim: 1), isEither: true),
        Right("GateBySum", x => x.mul(x.sum(1, keepdim: true).sigmoid()), isEither: true),
        Right("ScaledAlike", x => x.mul(functional.relu(x).amax([1], keepdim: true).tanh()), isEither: true),

        // Each channel goes its own way.
        Right("OwnStatistics", x => x.div(x.std([2, 3], false, true).add(Half, One)), isEither: false),
        Right("Blurred", x =>
            functional.conv2d(x, full([x.size(1), 1, 3, 3], 1.0 / 9, x.dtype), padding: [1, 1], groups: x.size(1)), isEither: false),
        Right("OwnGreatest", x => x.mul(x.amax([2, 3], keepdim: true).sigmoid()), isEither: false),
        Right("OwnSoftmax", x => x.mul(x.flatten(2).softmax(2).view_as(x)), isEither: false),
        Right("Capped", x => x.tanh(), isEither: false),
    ];

    private static Tensor Entropy(Tensor shares) => shares.mul(shares.log()).sum(1, keepdim: true).neg();

    private static Tensor Quantized(Tensor x, Tensor least, Tensor greatest)
    {
        var step = greatest.sub(least).div(tensor(15.0, x.dtype)).add(tensor(1e-6, x.dtype), One);
        return x.sub(least).div(step).round().mul(step).add(least, One);
    }

    private static ZooCase Wrong(string name, Func<Tensor, Tensor> between) =>
        Of(name, between) with { Groups = ["conv2"], Unsupported = ["conv1: ", "fc: model"] };

    private static ZooCase Right(string name, Func<Tensor, Tensor> between, bool isEither) => isEither
        ? Of(name, between) with { Groups = ["conv2"], Either = ["conv1"], Unsupported = ["fc: model"] }
        : Of(name, between) with { Groups = ["conv1", "conv2"], Unsupported = ["fc: model"] };

    private static ZooCase Of(string name, Func<Tensor, Tensor> between) => new(name, () =>
    {
        var (conv1, conv2, fc) = (Conv2d(3, 12, 3, padding: 1), Conv2d(12, 8, 3, padding: 1), Linear(8, 5));
        return new Net(new { conv1, conv2, fc }, x => fc.call(functional.relu(conv2.call(between(conv1.call(x)))).mean([2, 3])));
    }, Picture)
    {
        OtherSizes = Others,
    };
}
