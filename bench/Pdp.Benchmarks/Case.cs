using Pdp.Samples.Cifar10;
using Pdp.Samples.Models;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Benchmarks;

/// <summary>A network and a batch for it.</summary>
internal sealed record Case(string Name, Func<Module<Tensor, Tensor>> Model, long[] Inputs, long Outputs, int Classes)
{
    public static readonly Case[] All =
    [
        new("ResNet-20", () => new ResNet20(), [128, 3, 32, 32], 128, 10),
        new("Transformer", () => new Encoder(), [128, 8, Encoder.Width], 128 * 8, 100),
        new("MobileNet-v1", () => new MobileNetV1(), [16, 3, 224, 224], 16, 1000),
        new("ResNet18", () => ResNet.ResNet18(), [16, 3, 224, 224], 16, 1000),
        new("ResNet50", () => ResNet.ResNet50(), [8, 3, 224, 224], 8, 1000),
    ];

    /// <summary>Whether it is among those of a quick run.</summary>
    public bool IsQuick => Name is "ResNet-20" or "Transformer";
}
