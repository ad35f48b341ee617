using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Channels scaled by a gate that is computed from their means (Hu et al. 2018).</summary>
internal sealed class SqueezeExcitationNet : ZooNet
{
    private readonly Conv2d conv1 = Conv2d(3, 12, 3, padding: 1, bias: false);
    private readonly BatchNorm2d bn1 = BatchNorm2d(12);
    private readonly Linear squeeze = Linear(12, 6);
    private readonly Linear excite = Linear(6, 12);
    private readonly Conv2d conv2 = Conv2d(12, 10, 3, padding: 1);
    private readonly Linear fc = Linear(10, 5);

    public SqueezeExcitationNet()
        : base(nameof(SqueezeExcitationNet))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input)
    {
        var x = functional.relu(bn1.call(conv1.call(input)));
        var gate = functional.relu(squeeze.call(functional.adaptive_avg_pool2d(x, 1).flatten(1)));
        gate = excite.call(gate).sigmoid().unsqueeze(2).unsqueeze(3);
        x = functional.relu(conv2.call(x.mul(gate)));
        return fc.call(functional.adaptive_avg_pool2d(x, 1).flatten(1));
    }
}
