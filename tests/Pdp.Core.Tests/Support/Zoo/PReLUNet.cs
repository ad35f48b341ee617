using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Activations with a slope for each channel.</summary>
internal sealed class PReLUNet : ZooNet
{
    private readonly Conv2d conv1 = Conv2d(3, 8, 3, padding: 1);
    private readonly PReLU slope1 = PReLU(8);
    private readonly Conv2d conv2 = Conv2d(8, 12, 3, padding: 1);
    private readonly PReLU slope2 = PReLU(1);
    private readonly Linear fc = Linear(12, 5);

    public PReLUNet()
        : base(nameof(PReLUNet))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input)
    {
        var x = slope1.call(conv1.call(input));
        x = slope2.call(conv2.call(x));
        return fc.call(functional.adaptive_avg_pool2d(x, 1).flatten(1));
    }
}
