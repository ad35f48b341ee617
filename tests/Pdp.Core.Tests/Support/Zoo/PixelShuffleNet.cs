using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Four channels laid out as one of twice the width and height (Shi et al. 2016): only all four can go.</summary>
internal sealed class PixelShuffleNet : ZooNet
{
    private readonly Conv2d conv1 = Conv2d(3, 12, 3, stride: 2, padding: 1);
    private readonly Conv2d conv2 = Conv2d(3, 10, 3, padding: 1);
    private readonly Linear fc = Linear(10, 5);

    public PixelShuffleNet()
        : base(nameof(PixelShuffleNet))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input)
    {
        var x = functional.relu(functional.pixel_shuffle(conv1.call(input), 2));
        x = functional.relu(conv2.call(x));
        return fc.call(functional.adaptive_avg_pool2d(x, 1).flatten(1));
    }
}
