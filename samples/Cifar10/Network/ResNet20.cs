using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Cifar10;

/// <summary>ResNet-20 for 32×32 pictures (He et al. 2016, section 4.2, shortcut option A): 269,722 parameters at its usual width.</summary>
internal sealed class ResNet20 : Module<Tensor, Tensor>
{
    /// <summary>The channels of the first stage, as in the paper; the other stages have twice and four times as many.</summary>
    public const int UsualWidth = 16;

    private const int Classes = 10;

    private readonly Conv2d conv1;
    private readonly BatchNorm2d bn1;
    private readonly Sequential layer1;
    private readonly Sequential layer2;
    private readonly Sequential layer3;
    private readonly Linear linear;

    /// <param name="width">The channels of the first stage, an even number.</param>
    public ResNet20(int width = UsualWidth)
        : base(nameof(ResNet20))
    {
        conv1 = Conv2d(3, width, 3, padding: 1, bias: false);
        bn1 = BatchNorm2d(width);
        layer1 = Stage(width, width, stride: 1);
        layer2 = Stage(width, 2 * width, stride: 2);
        layer3 = Stage(2 * width, 4 * width, stride: 2);
        linear = Linear(4 * width, Classes);
        RegisterComponents();
        foreach (var norm in modules().OfType<BatchNorm2d>())
        {
            // Counting batches serves cumulative averages only, and TorchSharp 0.107 counts with a Scalar that the
            // garbage collector may free while it is read.
            norm.num_batches_tracked = null;
        }
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = functional.relu(bn1.call(conv1.call(input)), inplace: true);
        x = layer3.call(layer2.call(layer1.call(x)));
        x = functional.adaptive_avg_pool2d(x, 1).flatten(1);
        return linear.call(x).MoveToOuterDisposeScope();
    }

    private static Sequential Stage(int inputs, int outputs, int stride) => Sequential(
        ("0", new BasicBlock(inputs, outputs, stride)),
        ("1", new BasicBlock(outputs, outputs, 1)),
        ("2", new BasicBlock(outputs, outputs, 1)));
}
