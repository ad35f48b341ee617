using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Networks that draw random numbers, or keep something from call to call.</summary>
internal static class DrawingNets
{
    private static readonly Scalar One = 1.0;
    private static readonly Scalar Tenth = 0.1;
    private static readonly Scalar Third = 0.3;
    private static readonly long[] Picture = [3, 12, 12];

    /// <summary>What discovery must say of each; they can't be compared on random draws.</summary>
    public static IReadOnlyList<ZooCase> Cases { get; } =
    [
        Wrong("NoisyHeadOfRms", (net, h, y) => net.training ? y.add(Rms(h), Third).add(randn_like(y), Tenth) : y),
        Wrong("DropoutOfMean", (net, h, y) =>
            net.training ? y.add(functional.dropout(h.mean([1]), 0.1, true).mean([1, 2]).unsqueeze(1), One) : y),
        Wrong("NoisyGateByMaximum", (_, h, y) => y.mul(h.neg().amax([1]).mean().sigmoid()).add(randn_like(y), Tenth)),
        Wrong("NoisyMeanAboveFive", (_, h, y) => y.mul(h.mean().gt(Number(5)).to_type(y.dtype).add(One, One)).add(randn_like(y), Tenth)),
        Wrong("NoiseOfMean", (_, h, y) => y.add(randn_like(y).mul(h.mean()), Tenth)),
        Wrong("DropoutAfterNorm", (net, h, y) => net.training ? y.mul(functional.dropout(h, 0.3, true).std(1).mean()) : y),
        Wrong("ShuffledInTraining", (net, h, y) =>
            net.training ? y.add(h.index_select(1, randperm(h.size(1))).narrow(1, 0, 1).mean(), One) : y),
        Wrong("DropoutAndCount", (net, h, y) => net.training ? functional.dropout(y, 0.1, true)
            .div(tensor(Math.Sqrt(h.size(1)), y.dtype)) : y),
        Wrong("DropoutOfChannelsAndCount", (net, h, y) =>
            net.training ? y.add(functional.dropout(h, 0.1, true).mean().div(tensor((double)h.size(1), y.dtype)), One) : y),
        Right("DropoutOfChannels", (net, h) => functional.dropout(h, 0.3, net.training)),
        Right("DropoutOfWholeChannels", (net, h) => functional.dropout2d(h, 0.3, net.training)),
        Right("NoiseOnEachPixel", (net, h) => net.training ? h.mul(randn([h.size(0), 1, h.size(2), h.size(3)], h.dtype)) : h),
        Right("ExamplesDropped", (net, h) => net.training ? h.mul(rand([h.size(0), 1, 1, 1], h.dtype).gt(Third)) : h),
        Right("RareDropout", (net, h) => functional.dropout(h, 3e-4, net.training)),
        Right("DropoutInEvaluation", (_, h) => functional.dropout(h, 0.3, true)),
    ];

    private static Scalar Number(double value) => value;

    private static Tensor Rms(Tensor h) => h.mul(h).mean([1]).sqrt().mean([1, 2]).unsqueeze(1);

    private static ZooCase Wrong(string name, Func<Net, Tensor, Tensor, Tensor> end) =>
        Of(name, (_, h) => h, end) with { Groups = ["conv2"], Unsupported = ["conv1: ", "fc: model"] };

    private static ZooCase Right(string name, Func<Net, Tensor, Tensor> between) =>
        Of(name, between, (_, _, y) => y) with { Groups = ["conv1", "conv2"], Unsupported = ["fc: model"] };

    private static ZooCase Of(string name, Func<Net, Tensor, Tensor> between, Func<Net, Tensor, Tensor, Tensor> end) => new(name, () =>
    {
        var (conv1, conv2, fc) = (Conv2d(3, 12, 3, padding: 1), Conv2d(12, 8, 3, padding: 1), Linear(8, 5));
        return new Net(new { conv1, conv2, fc }, (net, x) =>
        {
            var h = between(net, functional.relu(conv1.call(x)));
            return end(net, h, fc.call(functional.relu(conv2.call(h)).mean([2, 3])));
        });
    }, Picture);
}
