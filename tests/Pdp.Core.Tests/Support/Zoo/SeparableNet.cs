using Pdp.Samples.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Depthwise and 1×1 convolutions in turn, as in MobileNet.</summary>
internal sealed class SeparableNet : ZooNet
{
    private readonly Sequential features = Sequential(
        ("0", ConvNorm.Dense(3, 8, 3, 1, ReLU(inplace: true))),
        ("1", ConvNorm.Depthwise(8, 1, ReLU(inplace: true))),
        ("2", ConvNorm.Dense(8, 12, 1, 1, ReLU(inplace: true))),
        ("3", ConvNorm.Depthwise(12, 2, ReLU(inplace: true))),
        ("4", ConvNorm.Dense(12, 16, 1, 1, ReLU(inplace: true))));

    private readonly Linear fc = Linear(16, 5);

    public SeparableNet()
        : base(nameof(SeparableNet))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input) => fc.call(functional.adaptive_avg_pool2d(features.call(input), 1).flatten(1));
}
