using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>A residual block whose shortcut takes every second pixel and pads new channels with zeros on both sides.</summary>
internal sealed class PaddedBlock : ZooNet
{
    private readonly Conv2d conv1;
    private readonly BatchNorm2d bn1;
    private readonly Conv2d conv2;
    private readonly BatchNorm2d bn2;
    private readonly int _stride;

    public PaddedBlock(int inputs, int outputs, int stride)
        : base(nameof(PaddedBlock))
    {
        conv1 = Conv2d(inputs, outputs, 3, stride: stride, padding: 1, bias: false);
        bn1 = BatchNorm2d(outputs);
        conv2 = Conv2d(outputs, outputs, 3, padding: 1, bias: false);
        bn2 = BatchNorm2d(outputs);
        _stride = stride;
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input)
    {
        var x = functional.relu(bn1.call(conv1.call(input)));
        x = bn2.call(conv2.call(x));
        return functional.relu(x.add_(Shortcut(input, x.size(1)), One));
    }

    private Tensor Shortcut(Tensor input, long channels)
    {
        var pixels = input.slice(2, 0, input.size(2), _stride).slice(3, 0, input.size(3), _stride);
        var added = channels - input.size(1);
        return functional.pad(pixels, [0, 0, 0, 0, added / 2, added - (added / 2)]);
    }
}
