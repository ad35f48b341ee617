using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Cifar10;

/// <summary>Two 3×3 convolutions beside a shortcut without parameters (option A of He et al.).</summary>
internal sealed class BasicBlock : Module<Tensor, Tensor>
{
    private static readonly TorchSharp.Scalar One = 1.0;
    private readonly Conv2d conv1;
    private readonly BatchNorm2d bn1;
    private readonly Conv2d conv2;
    private readonly BatchNorm2d bn2;
    private readonly long _newChannels;
    private readonly bool _shrinks;

    public BasicBlock(int inputs, int outputs, int stride)
        : base(nameof(BasicBlock))
    {
        conv1 = Conv2d(inputs, outputs, 3, stride: stride, padding: 1, bias: false);
        bn1 = BatchNorm2d(outputs);
        conv2 = Conv2d(outputs, outputs, 3, padding: 1, bias: false);
        bn2 = BatchNorm2d(outputs);
        _newChannels = outputs - inputs;
        _shrinks = stride > 1;
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var inner = functional.relu(bn1.call(conv1.call(input)), inplace: true);
        var output = bn2.call(conv2.call(inner)).add_(Shortcut(input), One);
        return functional.relu(output, inplace: true).MoveToOuterDisposeScope();
    }

    // Every second pixel, and zeros for the channels that are new.
    private Tensor Shortcut(Tensor input)
    {
        if (!_shrinks)
        {
            return input;
        }

        var pixels = input.slice(2, 0, input.size(2), 2).slice(3, 0, input.size(3), 2);
        return functional.pad(pixels, [0, 0, 0, 0, _newChannels / 2, _newChannels / 2]);
    }
}
