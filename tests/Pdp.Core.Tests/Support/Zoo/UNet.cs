using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Skips across scales by concatenation, back up by transposed convolution and by interpolation.</summary>
internal sealed class UNet : ZooNet
{
    private readonly Conv2d down1 = Conv2d(3, 8, 3, padding: 1, bias: false);
    private readonly BatchNorm2d bn1 = BatchNorm2d(8);
    private readonly Conv2d down2 = Conv2d(8, 12, 3, padding: 1);
    private readonly Conv2d middle = Conv2d(12, 16, 3, padding: 1);
    private readonly ConvTranspose2d up2 = ConvTranspose2d(16, 10, 2, stride: 2);
    private readonly Conv2d merge2 = Conv2d(22, 9, 3, padding: 1);
    private readonly Conv2d merge1 = Conv2d(17, 8, 3, padding: 1);
    private readonly Conv2d head = Conv2d(8, 2, 1);

    public UNet()
        : base(nameof(UNet))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input)
    {
        var fine = functional.relu(bn1.call(down1.call(input)));
        var coarse = functional.relu(down2.call(functional.max_pool2d(fine, 2)));
        var x = functional.relu(middle.call(functional.max_pool2d(coarse, 2)));
        x = functional.relu(merge2.call(cat([up2.call(x), coarse], 1)));
        x = functional.interpolate(x, [fine.size(2), fine.size(3)]);
        return head.call(functional.relu(merge1.call(cat([x, fine], 1))));
    }
}
