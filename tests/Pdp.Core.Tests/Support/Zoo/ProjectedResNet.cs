using Pdp.Samples.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Residual blocks, one with a projected shortcut.</summary>
internal sealed class ProjectedResNet : ZooNet
{
    private readonly Conv2d conv1 = Conv2d(3, 8, 3, padding: 1, bias: false);
    private readonly BatchNorm2d bn1 = BatchNorm2d(8);
    private readonly Sequential layer1 = Sequential(("0", new ResidualBlock(8, 8, 1, false)));
    private readonly Sequential layer2 = Sequential(("0", new ResidualBlock(8, 12, 2, false)), ("1", new ResidualBlock(12, 12, 1, false)));
    private readonly Linear fc = Linear(12, 5);

    public ProjectedResNet()
        : base(nameof(ProjectedResNet))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input)
    {
        var x = functional.relu(bn1.call(conv1.call(input)));
        x = layer2.call(layer1.call(x));
        return fc.call(functional.adaptive_avg_pool2d(x, 1).flatten(1));
    }
}
