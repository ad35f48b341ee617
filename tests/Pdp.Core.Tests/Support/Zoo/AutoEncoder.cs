using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Convolutions down to a code, and transposed convolutions back, one of them with groups.</summary>
internal sealed class AutoEncoder : ZooNet
{
    private readonly Conv2d encode1 = Conv2d(3, 8, 3, stride: 2, padding: 1);
    private readonly Conv2d encode2 = Conv2d(8, 12, 3, stride: 2, padding: 1);
    private readonly ConvTranspose2d decode2 = ConvTranspose2d(12, 9, 4, stride: 2, padding: 1, bias: false);
    private readonly BatchNorm2d norm = BatchNorm2d(9);
    private readonly ConvTranspose2d refine = ConvTranspose2d(9, 6, 3, padding: 1, groups: 3);
    private readonly ConvTranspose2d decode1 = ConvTranspose2d(6, 3, 4, stride: 2, padding: 1);

    public AutoEncoder()
        : base(nameof(AutoEncoder))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input)
    {
        var x = functional.relu(encode2.call(functional.relu(encode1.call(input))));
        x = functional.relu(norm.call(decode2.call(x)));
        return decode1.call(functional.relu(refine.call(x)));
    }
}
