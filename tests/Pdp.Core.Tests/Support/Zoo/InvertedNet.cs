using Pdp.Samples.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Inverted residuals with and without a shortcut, as in MobileNetV2.</summary>
internal sealed class InvertedNet : ZooNet
{
    private readonly Sequential features = Sequential(
        ("0", ConvNorm.Dense(3, 8, 3, 1, ReLU6(inplace: true))),
        ("1", new InvertedResidual(8, 6, 1, 1)),
        ("2", new InvertedResidual(6, 10, 2, 3)),
        ("3", new InvertedResidual(10, 10, 1, 3)),
        ("4", ConvNorm.Dense(10, 24, 1, 1, ReLU6(inplace: true))));

    private readonly Sequential classifier = Sequential(("0", Dropout(0.2)), ("1", Linear(24, 5)));

    public InvertedNet()
        : base(nameof(InvertedNet))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input) => classifier.call(functional.adaptive_avg_pool2d(features.call(input), 1).flatten(1));
}
