using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Attention that shares out between the channels, of which removed ones would still take a part.</summary>
internal sealed class ChannelSoftmaxNet : ZooNet
{
    private readonly Conv2d conv1 = Conv2d(3, 12, 3, padding: 1);
    private readonly Conv2d conv2 = Conv2d(12, 10, 3, padding: 1);
    private readonly Linear fc = Linear(10, 5);

    public ChannelSoftmaxNet()
        : base(nameof(ChannelSoftmaxNet))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input)
    {
        var x = functional.relu(conv1.call(input));
        x = x.mul(functional.adaptive_avg_pool2d(x, 1).softmax(1));
        x = functional.relu(conv2.call(x));
        return fc.call(functional.adaptive_avg_pool2d(x, 1).flatten(1));
    }
}
