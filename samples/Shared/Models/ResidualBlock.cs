using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Models;

/// <summary>Two 3×3 convolutions beside a shortcut, which is projected where the shape changes.</summary>
internal sealed class ResidualBlock : Module<Tensor, Tensor>
{
    private static readonly TorchSharp.Scalar One = 1.0;
    private readonly Conv2d conv1;
    private readonly BatchNorm2d bn1;
    private readonly Conv2d conv2;
    private readonly BatchNorm2d bn2;
    private readonly Sequential? downsample;

    public ResidualBlock(int inputs, int outputs, int stride, bool zeroInitialResidual)
        : base(nameof(ResidualBlock))
    {
        conv1 = Conv2d(inputs, outputs, 3, stride: stride, padding: 1, bias: false);
        bn1 = BatchNorm2d(outputs);
        conv2 = Conv2d(outputs, outputs, 3, padding: 1, bias: false);
        bn2 = BatchNorm2d(outputs);
        if (stride != 1 || inputs != outputs)
        {
            downsample = ConvNorm.Projection(inputs, outputs, stride);
        }

        if (zeroInitialResidual)
        {
            init.zeros_(bn2.weight);
        }

        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = functional.relu(bn1.call(conv1.call(input)), inplace: true);
        x = bn2.call(conv2.call(x)).add_(downsample?.call(input) ?? input, One);
        return functional.relu(x, inplace: true).MoveToOuterDisposeScope();
    }
}
