using Pdp.Samples.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Tests.ImageNet;

/// <summary>A network with what the large ones have: batch-norm, a shortcut, a depthwise convolution, dropout.</summary>
internal sealed class TinyNet : Module<Tensor, Tensor>
{
    private readonly Conv2d conv1 = Conv2d(3, 8, 3, stride: 4, bias: false);
    private readonly BatchNorm2d bn1 = BatchNorm2d(8);
    private readonly InvertedResidual block = new(8, 8, 1, 2);
    private readonly Dropout dropout = Dropout(0.3);
    private readonly Linear fc;

    public TinyNet(int classes)
        : base(nameof(TinyNet))
    {
        fc = Linear(8, classes);
        RegisterComponents();
        Initialization.Apply(this);
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = functional.relu(bn1.call(conv1.call(input)), inplace: true);
        x = functional.adaptive_avg_pool2d(block.call(x), 1).flatten(1);
        return fc.call(dropout.call(x)).MoveToOuterDisposeScope();
    }
}
