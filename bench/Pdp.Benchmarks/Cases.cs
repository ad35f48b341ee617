using Pdp.Samples.Cifar10;
using Pdp.Samples.Models;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Benchmarks;

/// <summary>The networks that are measured.</summary>
internal static class Cases
{
    public static readonly Case[] All =
    [
        new("ResNet-20", () => new ResNet20(), [128, 3, 32, 32], 128, 10, [1, 3, 32, 32]),
        new("Transformer", () => new Encoder(), [128, 8, Encoder.Width], 128 * 8, 100, [4, 1, Encoder.Width]),
        new("BERT 6 × 384", Bert, [32, 32, Encoder.Width], 32 * 32, 3, [4, 1, Encoder.Width]),
        Case.Gpt,
        new("MobileNet-v1", () => new MobileNetV1(), [16, 3, 224, 224], 16, 1000, [1, 3, 32, 32]),
        new("ResNet18", () => ResNet.ResNet18(), [16, 3, 224, 224], 16, 1000, [1, 3, 32, 32]),
        new("ResNet50", () => ResNet.ResNet50(), [8, 3, 224, 224], 8, 1000, [1, 3, 32, 32]),
    ];

    /// <summary>An encoder of BERT, of linear layers, with a classifier per token.</summary>
    private static Module<Tensor, Tensor> Bert() =>
        Sequential([.. BertLayer.Stack(6, Encoder.Width), ("classifier", Linear(Encoder.Width, 3)), ("tokens", Flatten(0, 1))]);
}
