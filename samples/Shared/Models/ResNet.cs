using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Models;

/// <summary>
/// ResNet for ImageNet (He et al. 2016), with torchvision's names of parameters. ResNet50 is its version 1.5, where the 3×3
/// convolution of a bottleneck takes the stride.
/// </summary>
internal sealed class ResNet : Module<Tensor, Tensor>
{
    private readonly Conv2d conv1 = Conv2d(3, 64, 7, stride: 2, padding: 3, bias: false);
    private readonly BatchNorm2d bn1 = BatchNorm2d(64);
    private readonly Sequential layer1;
    private readonly Sequential layer2;
    private readonly Sequential layer3;
    private readonly Sequential layer4;
    private readonly Linear fc;

    // A block is made of its inputs, its width and its stride, and gives `expansion` outputs for each of its width.
    private ResNet(string name, int[] depths, int expansion, Func<int, int, int, Module<Tensor, Tensor>> block, int classes)
        : base(name)
    {
        layer1 = Stage(64, 64, depths[0], 1);
        layer2 = Stage(64 * expansion, 128, depths[1], 2);
        layer3 = Stage(128 * expansion, 256, depths[2], 2);
        layer4 = Stage(256 * expansion, 512, depths[3], 2);
        fc = Linear(512 * expansion, classes);
        RegisterComponents();
        Initialization.Apply(this);

        Sequential Stage(int inputs, int width, int depth, int stride) => Sequential(
            [.. Enumerable.Range(0, depth)
                .Select(i => ($"{i}", i == 0 ? block(inputs, width, stride) : block(width * expansion, width, 1)))]);
    }

    /// <summary>18 layers: 11,689,512 parameters for 1000 classes.</summary>
    /// <param name="classes">The number of classes.</param>
    /// <param name="zeroInitialResidual">Whether each block starts as its shortcut alone (Goyal et al. 2017).</param>
    public static ResNet ResNet18(int classes = 1000, bool zeroInitialResidual = false) => new(
        nameof(ResNet18),
        [2, 2, 2, 2],
        1,
        (inputs, width, stride) => new ResidualBlock(inputs, width, stride, zeroInitialResidual),
        classes);

    /// <summary>50 layers: 25,557,032 parameters for 1000 classes.</summary>
    /// <param name="classes">The number of classes.</param>
    /// <param name="zeroInitialResidual">Whether each block starts as its shortcut alone (Goyal et al. 2017).</param>
    public static ResNet ResNet50(int classes = 1000, bool zeroInitialResidual = false) => new(
        nameof(ResNet50),
        [3, 4, 6, 3],
        BottleneckBlock.Expansion,
        (inputs, width, stride) => new BottleneckBlock(inputs, width, stride, zeroInitialResidual),
        classes);

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = functional.relu(bn1.call(conv1.call(input)), inplace: true);
        x = functional.max_pool2d(x, 3, 2, 1);
        x = layer4.call(layer3.call(layer2.call(layer1.call(x))));
        x = functional.adaptive_avg_pool2d(x, 1).flatten(1);
        return fc.call(x).MoveToOuterDisposeScope();
    }
}
