using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>
/// Residual stages whose shortcut has no parameters: every second pixel, and zeros for new channels (He et al. 2016, option A).
/// </summary>
internal sealed class PaddedResNet : ZooNet
{
    private readonly Conv2d conv1 = Conv2d(3, 8, 3, padding: 1, bias: false);
    private readonly BatchNorm2d bn1 = BatchNorm2d(8);
    private readonly Sequential layer1 = Sequential(("0", new PaddedBlock(8, 8, 1)), ("1", new PaddedBlock(8, 8, 1)));
    private readonly Sequential layer2 = Sequential(("0", new PaddedBlock(8, 14, 2)), ("1", new PaddedBlock(14, 14, 1)));
    private readonly Linear linear = Linear(14, 5);

    public PaddedResNet()
        : base(nameof(PaddedResNet))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input)
    {
        var x = functional.relu(bn1.call(conv1.call(input)));
        x = layer2.call(layer1.call(x));
        return linear.call(functional.adaptive_avg_pool2d(x, 1).flatten(1));
    }
}
