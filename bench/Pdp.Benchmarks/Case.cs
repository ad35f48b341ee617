using Pdp.Samples.Cifar10;
using Pdp.Samples.Models;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Benchmarks;

/// <summary>A network, a batch for it, and a small one to find its channels with.</summary>
internal sealed record Case(string Name, Func<Module<Tensor, Tensor>> Model, long[] Inputs, long Outputs, int Classes, long[] Example)
{
    /// <summary>So small that what is done for each weight shows.</summary>
    public static readonly Case Gpt = new("GPT of 0.8 M", () => new Gpt(), [8, 64, Benchmarks.Gpt.Width], 8 * 64, 65, [1, 4, Benchmarks.Gpt.Width]);

    public static readonly Case[] All =
    [
        new("ResNet-20", () => new ResNet20(), [128, 3, 32, 32], 128, 10, [1, 3, 32, 32]),
        new("Transformer", () => new Encoder(), [128, 8, Encoder.Width], 128 * 8, 100, [4, 1, Encoder.Width]),
        Gpt,
        new("MobileNet-v1", () => new MobileNetV1(), [16, 3, 224, 224], 16, 1000, [1, 3, 32, 32]),
        new("ResNet18", () => ResNet.ResNet18(), [16, 3, 224, 224], 16, 1000, [1, 3, 32, 32]),
        new("ResNet50", () => ResNet.ResNet50(), [8, 3, 224, 224], 8, 1000, [1, 3, 32, 32]),
    ];

    /// <summary>Whether it is among those of a quick run.</summary>
    public bool IsQuick => Name is "ResNet-20" or "Transformer" or "GPT of 0.8 M";
}
