using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Layers that read all channels before them and append their own, as in DenseNet (Huang et al. 2017).</summary>
internal sealed class DenseBlockNet : ZooNet
{
    private readonly Conv2d conv1 = Conv2d(3, 8, 3, padding: 1, bias: false);
    private readonly DenseLayer layer1 = new(8, 6);
    private readonly DenseLayer layer2 = new(14, 5);
    private readonly BatchNorm2d transition = BatchNorm2d(19);
    private readonly Conv2d conv2 = Conv2d(19, 12, 1);
    private readonly Linear fc = Linear(12, 5);

    public DenseBlockNet()
        : base(nameof(DenseBlockNet))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input)
    {
        var x = layer2.call(layer1.call(conv1.call(input)));
        x = functional.relu(conv2.call(functional.relu(transition.call(x))));
        return fc.call(functional.adaptive_avg_pool2d(x, 1).flatten(1));
    }
}
