using Pdp.Samples.Cifar10;
using Pdp.Samples.Models;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Benchmarks;

/// <summary>A layer or a network that is run on its nonzeros.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Model">Makes it.</param>
/// <param name="Input">The shape of its input.</param>
/// <param name="IsQuick">Whether it is among those of a quick run.</param>
/// <param name="Dense">The weights that keep all of theirs, besides depthwise ones.</param>
internal sealed record SparseCase(string Name, Func<Module<Tensor, Tensor>> Model, long[] Input, bool IsQuick, params string[] Dense)
{
    /// <summary>Those of the linear layers and convolutions of transformers and ResNets.</summary>
    public static readonly SparseCase[] Layers =
    [
        Linear(384, 1536, 128, isQuick: true), Linear(1536, 384, 128), Linear(768, 3072, 128), Linear(768, 3072, 32),
        Linear(384, 1536, 16), Linear(384, 1536, 1, isQuick: true), Linear(768, 3072, 1), Linear(1024, 1024, 64),
        Convolution(64, 64, 56, 3, isQuick: true), Convolution(128, 128, 28, 3), Convolution(256, 256, 14, 3), Convolution(512, 512, 7, 3),
        Convolution(64, 128, 56, 3, stride: 2), Convolution(256, 256, 28, 1), Convolution(512, 512, 14, 1),
    ];

    /// <summary>Whole networks.</summary>
    public static readonly SparseCase[] Networks =
    [
        Bert(6, 384, 128, isQuick: true), Bert(6, 384, 16, isQuick: true), Bert(12, 768, 128), Bert(12, 768, 16),
        Pictures("ResNet18", () => ResNet.ResNet18(), 1, isQuick: true), Pictures("ResNet18", () => ResNet.ResNet18(), 8),
        Pictures("ResNet50", () => ResNet.ResNet50(), 1), Pictures("ResNet50", () => ResNet.ResNet50(), 8),
        new("MobileNet-v1, batch 1", () => new MobileNetV1(), [1, 3, 224, 224], false, "features.0.0.weight", "fc.weight"),
        new("ResNet-20, batch 1", () => new ResNet20(), [1, 3, 32, 32], false),
        new("MLP 784-1024-1024-10, batch 64", Mlp, [64, 784], true),
    ];

    private static SparseCase Linear(int inputs, int outputs, int tokens, bool isQuick = false) => new(
        $"linear {inputs}→{outputs}, {tokens} tokens",
        () => Sequential(("layer", nn.Linear(inputs, outputs))),
        [tokens, inputs],
        isQuick);

    private static SparseCase Convolution(int inputs, int outputs, int size, int kernel, int stride = 1, bool isQuick = false) => new(
        $"{kernel}×{kernel} convolution {inputs}→{outputs} at {size}²{(stride == 1 ? "" : $", stride {stride}")}",
        () => Sequential(("layer", Conv2d(inputs, outputs, kernel, stride, kernel / 2))),
        [1, inputs, size, size],
        isQuick);

    private static SparseCase Bert(int layers, int width, int tokens, bool isQuick = false) => new(
        $"BERT {layers} × {width}, {tokens} tokens",
        () => Sequential(BertLayer.Stack(layers, width)),
        [1, tokens, width],
        isQuick);

    private static SparseCase Pictures(string name, Func<Module<Tensor, Tensor>> model, int batch, bool isQuick = false) =>
        new($"{name}, batch {batch}", model, [batch, 3, 224, 224], isQuick, "conv1.weight", "fc.weight");

    private static Module<Tensor, Tensor> Mlp() => Sequential(
        ("0", nn.Linear(784, 1024)), ("1", ReLU()), ("2", nn.Linear(1024, 1024)), ("3", ReLU()), ("4", nn.Linear(1024, 10)));
}
