using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Pixels divided by the root of their channels' mean square, which counts the removed ones.</summary>
internal sealed class RmsNormNet : ZooNet
{
    private readonly Conv2d conv1 = Conv2d(3, 12, 3, padding: 1);
    private readonly Conv2d conv2 = Conv2d(12, 10, 3, padding: 1);
    private readonly Linear fc = Linear(10, 5);

    public RmsNormNet()
        : base(nameof(RmsNormNet))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input)
    {
        var x = conv1.call(input);
        x = x.div(x.mul(x).mean([1], keepdim: true).sqrt());
        x = functional.relu(conv2.call(x));
        return fc.call(functional.adaptive_avg_pool2d(x, 1).flatten(1));
    }
}
