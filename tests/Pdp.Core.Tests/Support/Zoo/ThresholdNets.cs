using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Networks in which a number over all channels acts where it crosses a threshold, and nowhere else.</summary>
internal static class ThresholdNets
{
    private static readonly Scalar Two = 2.0;
    private static readonly Scalar Five = 5.0;
    private static readonly Scalar Hundred = 100.0;
    private static readonly long[] Picture = [3, 12, 12];
    private static readonly long[][] Others = [[3, 8, 10]];

    public static IReadOnlyList<ZooCase> Cases { get; } =
    [
        // Numbers that silent channels change, and with them the side of the threshold.
        Wrong("MeanAboveFive", (h, y) => Doubled(y, h.mean().gt(Five))),
        Wrong("MeanSaturated", (h, y) => y.mul(h.mean().mul(Number(20)).clamp(Number(0), Number(1)))),
        Wrong("MeanBelowHundredth", (h, y) => Doubled(y, h.mean().lt(Number(0.01)))),
        Wrong("MeanReadByTheHost", (h, y) => Read(h.mean()) > 5 ? y.mul(Two) : y),
        Wrong("MeanOfEachExample", (h, y) => Doubled(y, h.mean([1, 2, 3]).gt(Number(40)).unsqueeze(1))),
        Wrong("MeanInAWindow", (h, y) => Doubled(y, h.mean().gt(Five).logical_and(h.mean().lt(Number(20))))),
        Wrong("MeanWithoutGradient", (h, y) => Doubled(y, h.detach().mean().gt(Number(0.001)))),
        Wrong("MeanRectified", (h, y) => y.add(functional.relu(h.mean().sub(Number(50))), Number(1))),
        Wrong("MeanInSteps", (h, y) => y.mul(h.mean().div(Hundred).floor().add(Number(1), Number(1)))),
        Wrong("MeanOfSigmoids", (h, y) => Doubled(y, h.sigmoid().mean().gt(Number(0.8)))),
        Wrong("MeanInWholeNumbers", (h, y) => Doubled(y, h.mean().mul(Hundred).to_type(ScalarType.Int64).remainder(Two).eq(Number(0)))),
        Wrong("StepsByMean", (h, y) => Enumerable.Range(0, (int)Math.Clamp(Read(h.mean()), 0, 4)).Aggregate(y, (all, _) => all.mul(Two))),
        Wrong("VarianceAbove", (h, y) => Doubled(y, h.std(1).mean().gt(Five))),
        Wrong("ActiveShare", (h, y) => Doubled(y, h.gt(Number(0)).to_type(h.dtype).mean().gt(Number(0.9)))),
        Wrong("QuietCount", (h, y) => Doubled(y, h.mean([2, 3]).lt(Number(0.3)).sum([1], type: h.dtype).gt(Number(5)).unsqueeze(1))),
        Wrong("ConfidentSoftmax", (h, y) => Doubled(y, h.mean([2, 3]).softmax(1).amax([1], keepdim: true).gt(Number(0.9)))),
        Wrong("HighEntropy", (h, y) => Doubled(y, Entropy(h.mean([2, 3]).softmax(1)).gt(Number(1.8)))),
        Wrong("QuantileAbove", (h, y) => Doubled(y, h.mean([2, 3]).quantile(tensor(0.9, h.dtype), 1).gt(Number(3)).reshape(-1, 1))),
        Wrong("LogSumExpAbove", (h, y) => Doubled(y, h.mean([2, 3]).logsumexp(1, true).gt(Five))),
        WrongRaw("GreatestBelowMinusTwo", (h, y) => Doubled(y, h.amax([1]).mean().lt(Number(-2)))),
        WrongRaw("LeastAboveThree", (h, y) => Doubled(y, h.amin([1, 2, 3]).gt(Number(3)).unsqueeze(1))),
        WrongRaw("NearestToZero", (h, y) => Doubled(y, h.abs().amin([1]).mean().gt(Number(0.5)))),
        Scaled("ClampedRms", h => h.div(h.mul(h).mean([1], keepdim: true).sqrt().div(Number(500)).clamp(min: Number(1)))),
        Scaled("ClippedByMean", h => h.div(h.abs().mean([1, 2, 3], keepdim: true).div(Hundred).clamp(min: Number(1)))),
        Scaled("CentredWhereLoud", h => h.sub(functional.relu(h.mean([1], keepdim: true).sub(Number(30))))),

        // Numbers to which silent channels add nothing.
        Scaled("ClippedByNorm", h =>
            h.div(h.norm(1, keepdim: true).div(Hundred).clamp(min: Number(1)))) with { Either = ["conv1"], Unsupported = ["fc: model"] },
        Wrong("SumAboveFive", (h, y) => Doubled(y, h.sum([1]).mean().gt(Five))) with { Either = ["conv1"], Unsupported = ["fc: model"] },
        WrongRaw("SignOfMean", (h, y) => y.mul(h.mean().sign())) with { Either = ["conv1"], Unsupported = ["fc: model"] },
    ];

    private static Scalar Number(double value) => value;

    private static double Read(Tensor number) => number.to_type(ScalarType.Float64).ReadCpuDouble(0);

    private static Tensor Doubled(Tensor y, Tensor where) => y.mul(where.to_type(y.dtype).add(Number(1), Number(1)));

    private static Tensor Entropy(Tensor shares) => shares.mul(shares.log()).sum(1, keepdim: true).neg();

    /// <summary>An output that hangs on a number over all channels.</summary>
    private static ZooCase Wrong(string name, Func<Tensor, Tensor, Tensor> gate) => Of(name, h => functional.relu(h), h => h, gate);

    private static ZooCase WrongRaw(string name, Func<Tensor, Tensor, Tensor> gate) => Of(name, h => h, h => h, gate);

    private static ZooCase Scaled(string name, Func<Tensor, Tensor> between) => Of(name, h => functional.relu(h), between, (_, y) => y);

    private static ZooCase Of(
        string name, Func<Tensor, Tensor> activation, Func<Tensor, Tensor> between, Func<Tensor, Tensor, Tensor> gate) => new(name, () =>
    {
        var (conv1, conv2, fc) = (Conv2d(3, 12, 3, padding: 1), Conv2d(12, 8, 3, padding: 1), Linear(8, 5));
        return new Net(new { conv1, conv2, fc }, x =>
        {
            var h = between(activation(conv1.call(x)));
            return gate(h, fc.call(functional.relu(conv2.call(h)).mean([2, 3])));
        });
    }, Picture)
        {
            Groups = ["conv2"],
            Unsupported = ["conv1: ", "fc: model"],
            OtherSizes = Others,
        };
}
