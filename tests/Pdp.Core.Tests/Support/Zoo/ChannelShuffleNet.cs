using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Channels dealt out between groups, as in ShuffleNet (Zhang et al. 2018): whoever removes one moves the others.</summary>
internal sealed class ChannelShuffleNet : ZooNet
{
    private readonly Conv2d conv1 = Conv2d(3, 12, 3, padding: 1);
    private readonly Conv2d grouped = Conv2d(12, 12, 3, padding: 1, groups: 3);
    private readonly Conv2d conv2 = Conv2d(12, 10, 3, padding: 1);
    private readonly Linear fc = Linear(10, 5);

    public ChannelShuffleNet()
        : base(nameof(ChannelShuffleNet))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input)
    {
        var x = functional.relu(conv1.call(input));
        x = x.unflatten(1, [3, x.size(1) / 3]).transpose(1, 2).flatten(1, 2);
        x = functional.relu(grouped.call(x));
        x = functional.relu(conv2.call(x));
        return fc.call(functional.adaptive_avg_pool2d(x, 1).flatten(1));
    }
}
