using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Networks in which it matters how many channels there are, at some numbers of them.</summary>
internal static class CountNets
{
    private static readonly Scalar One = 1.0;
    private static readonly Scalar Two = 2.0;
    private static readonly long[] Picture = [3, 12, 12];
    private static readonly long[][] Others = [[3, 8, 10]];

    public static IReadOnlyList<ZooCase> Cases { get; } =
    [
        Of("OtherwiseWhenFew", x => x.size(1) < 4 ? x.mul(Two) : x),
        Of("OtherwiseWhenOne", x => x.size(1) == 1 ? x.mul(Two) : x),
        Of("OtherwiseWhenMost", x => x.size(1) == 11 ? x.mul(Two) : x),
        Of("OtherwiseWhenHalf", x => x.size(1) == 6 ? x.mul(Two) : x),
        Of("OtherwiseWhenOdd", x => x.size(1) % 2 == 1 ? x.mul(Two) : x),
        Of("ScaledByLogOfCount", x => x.div(tensor(Math.Log(x.size(1) + 1), x.dtype))),
        Raw("GreatestThird", x => x.mul(x.ge(x.topk((int)Math.Max(1, x.size(1) / 3), 1).values.amin([1], keepdim: true)))),
        Raw("GreatestEight", x => x.mul(x.ge(x.topk((int)Math.Min(8, x.size(1)), 1).values.amin([1], keepdim: true)))),
        Raw("GreatestTwo", x => x.mul(x.ge(x.topk((int)Math.Min(2, x.size(1)), 1).values.amin([1], keepdim: true)))),
        Raw("GreatestEleven", x => x.mul(x.ge(x.topk((int)Math.Min(11, x.size(1)), 1).values.amin([1], keepdim: true)))),
        Of("OtherwiseWhenQuarterOfMany", x => x.size(1) == 16 ? x.mul(Two) : x, 64),
        Of("OtherwiseWhenHalfOfMany", x => x.size(1) == 32 ? x.mul(Two) : x, 64),
        Of("OtherwiseWhenMostOfMany", x => x.size(1) == 48 ? x.mul(Two) : x, 64),
        Of("NormOfGroupsByCount", x => functional.group_norm(x, x.size(1) % 4 == 0 ? 4 : 1)),
    ];

    private static ZooCase Of(string name, Func<Tensor, Tensor> between, int width = 12) =>
        Raw(name, x => between(functional.relu(x)), width);

    private static ZooCase Raw(string name, Func<Tensor, Tensor> between, int width = 12) => new(name, () =>
    {
        var (conv1, conv2, fc) = (Conv2d(3, width, 3, padding: 1), Conv2d(width, 8, 3, padding: 1), Linear(8, 5));
        return new Net(new { conv1, conv2, fc }, x => fc.call(functional.relu(conv2.call(between(conv1.call(x)))).mean([2, 3])));
    }, Picture)
    {
        Groups = ["conv2"],
        Unsupported = ["conv1: ", "fc: model"],
        OtherSizes = Others,
    };
}
