using Pdp.Samples.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Bottleneck blocks, with projections at the first of each stage.</summary>
internal sealed class BottleneckNet : ZooNet
{
    private readonly Conv2d conv1 = Conv2d(3, 8, 3, padding: 1, bias: false);
    private readonly BatchNorm2d bn1 = BatchNorm2d(8);
    private readonly Sequential layer1 = Sequential(
        ("0", new BottleneckBlock(8, 5, 1, false)), ("1", new BottleneckBlock(20, 5, 1, false)));
    private readonly Sequential layer2 = Sequential(("0", new BottleneckBlock(20, 7, 2, false)));
    private readonly Linear fc = Linear(28, 5);

    public BottleneckNet()
        : base(nameof(BottleneckNet))
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
