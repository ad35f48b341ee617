using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>One half of the channels gated by the other: where a half loses a channel alone, the halves no longer match.</summary>
internal sealed class GatedNet : ZooNet
{
    private readonly Conv2d conv1 = Conv2d(3, 12, 3, padding: 1);
    private readonly Conv2d conv2 = Conv2d(6, 10, 3, padding: 1);
    private readonly Linear fc = Linear(10, 5);

    public GatedNet()
        : base(nameof(GatedNet))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input)
    {
        var halves = conv1.call(input).chunk(2, 1);
        var x = halves[0].mul(halves[1].sigmoid());
        x = functional.relu(conv2.call(x));
        return fc.call(functional.adaptive_avg_pool2d(x, 1).flatten(1));
    }
}
