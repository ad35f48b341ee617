using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Pixels scaled by a gate from the channels' mean and greatest, both of which see removed ones (Woo et al. 2018).</summary>
internal sealed class SpatialAttentionNet : ZooNet
{
    private readonly Conv2d conv1 = Conv2d(3, 12, 3, padding: 1);
    private readonly Conv2d gate = Conv2d(2, 1, 3, padding: 1);
    private readonly Conv2d conv2 = Conv2d(12, 10, 3, padding: 1);
    private readonly Linear fc = Linear(10, 5);

    public SpatialAttentionNet()
        : base(nameof(SpatialAttentionNet))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input)
    {
        var x = conv1.call(input);
        var summary = cat([x.mean([1], keepdim: true), x.amax([1], keepdim: true)], 1);
        x = x.mul(gate.call(summary).sigmoid());
        x = functional.relu(conv2.call(x));
        return fc.call(functional.adaptive_avg_pool2d(x, 1).flatten(1));
    }
}
