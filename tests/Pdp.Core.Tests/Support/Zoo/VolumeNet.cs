using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Three-dimensional convolutions, as on films.</summary>
internal sealed class VolumeNet : ZooNet
{
    private readonly Conv3d conv1 = Conv3d(2, 8, 3, padding: 1, bias: false);
    private readonly BatchNorm3d bn1 = BatchNorm3d(8);
    private readonly Conv3d depthwise = Conv3d(8, 8, 3, stride: 2, padding: 1, groups: 8);
    private readonly ConvTranspose3d up = ConvTranspose3d(8, 10, 2, stride: 2);
    private readonly Linear fc = Linear(10, 5);

    public VolumeNet()
        : base(nameof(VolumeNet))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input)
    {
        var x = functional.relu(bn1.call(conv1.call(input)));
        x = functional.relu(up.call(functional.relu(depthwise.call(x))));
        return fc.call(functional.adaptive_avg_pool3d(x, 1).flatten(1));
    }
}
