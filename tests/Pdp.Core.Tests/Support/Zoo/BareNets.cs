using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Networks with weights outside of convolutions and linear layers, or used past them.</summary>
internal static class BareNets
{
    private static readonly Scalar Small = 1e-3;

    public static IReadOnlyList<ZooCase> Cases { get; } =
    [
        new("TiedAutoEncoder", TiedAutoEncoder, 12) { Either = ["encode1", "encode2"] },
        new("LstmBehindCnn", LstmBehindCnn,
            3, 12, 12) { Groups = ["conv1"], Either = ["conv2"], Unsupported = ["fc: model"], OtherSizes = [[3, 8, 5], [3, 4, 1]] },
        new("WeightStandardized", WeightStandardized, 3, 12, 12)
        {
            Groups = ["conv0"],
            Unsupported = ["conv1: ", "fc: model"],
            OtherSizes = [[3, 8, 10]],
        },
        new("CosineClassifier", CosineClassifier, 12) { Groups = ["inner"], Unsupported = ["outer: "] },
        new("BilinearNet", BilinearNet, 12) { Groups = ["inner"], Either = ["a", "b"], Unsupported = ["fc: model"] },
        new("ChannelsLast", ChannelsLast, 3, 8, 8) { Groups = ["fc1"], Either = ["conv1"], Unsupported = ["fc2: model"] },
    ];

    /// <summary>A decoder by the encoder's weights, transposed.</summary>
    private static Net TiedAutoEncoder()
    {
        var (encode1, encode2, shift) = (Linear(12, 10), Linear(10, 6), new Learned(12));
        return new(new { encode1, encode2, shift }, x =>
        {
            x = functional.relu(encode2.call(functional.relu(encode1.call(x))));
            x = functional.relu(functional.linear(x, encode2.weight.t()));
            return functional.linear(x, encode1.weight.t(), shift.value);
        });
    }

    /// <summary>Columns of a picture read in turn, as in handwriting (Shi et al. 2017).</summary>
    private static Net LstmBehindCnn()
    {
        var (conv1, conv2, lstm, fc) = (
            Conv2d(3, 8, 3, padding: 1), Conv2d(8, 6, 3, padding: 1), LSTM(6, 8, batchFirst: true), Linear(8, 5));
        return new(new { conv1, conv2, lstm, fc }, x =>
        {
            x = functional.relu(conv2.call(functional.relu(conv1.call(x)))).mean([2]).transpose(1, 2);
            var (states, _, _) = lstm.call(x);
            return fc.call(states.select(1, -1));
        });
    }

    /// <summary>A convolution of which each filter is normalized over all its inputs (Qiao et al. 2019).</summary>
    private static Net WeightStandardized()
    {
        var (conv0, conv1, weight, fc) = (
            Conv2d(3, 8, 3, padding: 1), Conv2d(8, 10, 3, padding: 1), new Learned(8, 10, 3, 3), Linear(8, 5));
        return new(new { conv0, conv1, weight, fc }, x =>
        {
            x = functional.relu(conv1.call(functional.relu(conv0.call(x))));
            var centred = weight.value.sub(weight.value.mean([1, 2, 3], keepdim: true));
            var size = centred.mul(centred).mean([1, 2, 3], keepdim: true).sqrt().add(Small, Small);
            return fc.call(functional.relu(functional.conv2d(x, centred.div(size), padding: [1, 1])).mean([2, 3]));
        });
    }

    /// <summary>Directions compared with those of the classes, to whose lengths all columns add.</summary>
    private static Net CosineClassifier()
    {
        var (inner, outer, classes) = (Linear(12, 16), Linear(16, 10), new Learned(5, 10));
        return new(new { inner, outer, classes }, x =>
        {
            static Tensor Unit(Tensor rows) => rows.div(rows.norm(1, keepdim: true).add(Small, Small));
            x = outer.call(functional.relu(inner.call(x)));
            return functional.linear(Unit(x), Unit(classes.value));
        });
    }

    private static Net BilinearNet()
    {
        var (inner, a, b, both, fc) = (Linear(12, 10), Linear(10, 8), Linear(10, 6), Bilinear(8, 6, 7), Linear(7, 5));
        return new(new { inner, a, b, both, fc }, x =>
        {
            x = functional.relu(inner.call(x));
            return fc.call(functional.relu(both.call(functional.relu(a.call(x)), functional.relu(b.call(x)))));
        });
    }

    /// <summary>A classifier that reads all channels of a pixel side by side.</summary>
    private static Net ChannelsLast()
    {
        var (conv1, fc1, fc2) = (Conv2d(3, 6, 3, stride: 2, padding: 1), Linear(96, 10), Linear(10, 5));
        return new(new { conv1, fc1, fc2 }, x => fc2.call(
            functional.relu(fc1.call(functional.relu(conv1.call(x)).permute(0, 2, 3, 1).flatten(1)))));
    }
}
