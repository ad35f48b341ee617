using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Models;

/// <summary>
/// MobileNet (Howard et al. 2017): 13 pairs of a depthwise and a 1×1 convolution; 4,231,976 parameters for 1000 classes.
/// </summary>
/// <remarks>
/// Torchvision lacks it. The names follow its other networks: features.0 is the stem, features.1 the first depthwise
/// convolution and features.2 the 1×1 that goes with it, each with its weight in 0 and its batch-norm in 1; fc classifies.
/// </remarks>
internal sealed class MobileNetV1 : Module<Tensor, Tensor>
{
    private const int StemOutputs = 32;

    // The outputs and the stride of each pair, from the paper's table 1.
    private static readonly (int Outputs, int Stride)[] Pairs =
    [
        (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
        (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
    ];

    private readonly Sequential features;
    private readonly Linear fc;

    public MobileNetV1(int classes = 1000)
        : base(nameof(MobileNetV1))
    {
        features = Sequential([.. Layers().Select((layer, i) => ($"{i}", layer))]);
        fc = Linear(Pairs[^1].Outputs, classes);
        RegisterComponents();
        Initialization.Apply(this);
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = functional.adaptive_avg_pool2d(features.call(input), 1).flatten(1);
        return fc.call(x).MoveToOuterDisposeScope();
    }

    private static IEnumerable<Module<Tensor, Tensor>> Layers()
    {
        yield return ConvNorm.Dense(3, StemOutputs, 3, 2, ReLU(inplace: true));
        var inputs = StemOutputs;
        foreach (var (outputs, stride) in Pairs)
        {
            yield return ConvNorm.Depthwise(inputs, stride, ReLU(inplace: true));
            yield return ConvNorm.Dense(inputs, outputs, 1, 1, ReLU(inplace: true));
            inputs = outputs;
        }
    }
}
