using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Convolutions with batch-norm in one sequence, and a classifier that reads every pixel (Simonyan and Zisserman 2015).</summary>
internal sealed class VggLike : ZooNet
{
    private readonly Sequential features = Sequential(
        ("0", Conv2d(3, 8, 3, padding: 1)),
        ("1", BatchNorm2d(8)),
        ("2", ReLU(inplace: true)),
        ("3", Conv2d(8, 10, 3, padding: 1)),
        ("4", BatchNorm2d(10)),
        ("5", ReLU(inplace: true)),
        ("6", MaxPool2d(2)),
        ("7", Conv2d(10, 16, 3, padding: 1)),
        ("8", BatchNorm2d(16)),
        ("9", ReLU(inplace: true)),
        ("10", MaxPool2d(2)));

    private readonly Sequential classifier = Sequential(
        ("0", Linear(16 * 4 * 4, 24)), ("1", ReLU()), ("2", Dropout()), ("3", Linear(24, 5)));

    public VggLike()
        : base(nameof(VggLike))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input) => classifier.call(features.call(input).flatten(1));
}
