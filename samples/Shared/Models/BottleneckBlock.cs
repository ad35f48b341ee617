using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Models;

/// <summary>A 3×3 convolution between two 1×1 ones, beside a shortcut, which is projected where the shape changes.</summary>
internal sealed class BottleneckBlock : Module<Tensor, Tensor>
{
    /// <summary>The outputs for each channel of the block's width.</summary>
    public const int Expansion = 4;

    private static readonly TorchSharp.Scalar One = 1.0;
    private readonly Conv2d conv1;
    private readonly BatchNorm2d bn1;
    private readonly Conv2d conv2;
    private readonly BatchNorm2d bn2;
    private readonly Conv2d conv3;
    private readonly BatchNorm2d bn3;
    private readonly Sequential? downsample;

    public BottleneckBlock(int inputs, int width, int stride, bool zeroInitialResidual)
        : base(nameof(BottleneckBlock))
    {
        var outputs = width * Expansion;
        conv1 = Conv2d(inputs, width, 1, bias: false);
        bn1 = BatchNorm2d(width);
        conv2 = Conv2d(width, width, 3, stride: stride, padding: 1, bias: false);
        bn2 = BatchNorm2d(width);
        conv3 = Conv2d(width, outputs, 1, bias: false);
        bn3 = BatchNorm2d(outputs);
        if (stride != 1 || inputs != outputs)
        {
            downsample = ConvNorm.Projection(inputs, outputs, stride);
        }

        if (zeroInitialResidual)
        {
            init.zeros_(bn3.weight);
        }

        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = functional.relu(bn1.call(conv1.call(input)), inplace: true);
        x = functional.relu(bn2.call(conv2.call(x)), inplace: true);
        x = bn3.call(conv3.call(x)).add_(downsample?.call(input) ?? input, One);
        return functional.relu(x, inplace: true).MoveToOuterDisposeScope();
    }
}
