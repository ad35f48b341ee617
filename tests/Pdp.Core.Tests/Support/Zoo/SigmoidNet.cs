using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>An activation that is not zero at zero, so that a removed channel would still send a constant.</summary>
internal sealed class SigmoidNet : ZooNet
{
    private readonly Conv2d conv1 = Conv2d(3, 12, 3, padding: 1);
    private readonly Conv2d conv2 = Conv2d(12, 10, 3, padding: 1);
    private readonly Linear fc = Linear(10, 5);

    public SigmoidNet()
        : base(nameof(SigmoidNet))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input)
    {
        var x = conv1.call(input).sigmoid();
        x = functional.relu(conv2.call(x));
        return fc.call(functional.adaptive_avg_pool2d(x, 1).flatten(1));
    }
}
