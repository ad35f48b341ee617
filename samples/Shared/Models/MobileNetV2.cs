using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Models;

/// <summary>
/// MobileNetV2 (Sandler et al. 2018) with torchvision's names of parameters: 3,504,872 of them for 1000 classes.
/// </summary>
internal sealed class MobileNetV2 : Module<Tensor, Tensor>
{
    private const int StemOutputs = 32;
    private const int LastOutputs = 1280;
    private const double DropoutRate = 0.2;
    private const double ClassifierDeviation = 0.01;

    // The expansion, the outputs, the repetitions and the first stride of each row of the paper's table 2.
    private static readonly (int Expansion, int Outputs, int Repetitions, int Stride)[] Rows =
    [
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ];

    private readonly Sequential features;
    private readonly Sequential classifier;

    public MobileNetV2(int classes = 1000)
        : base(nameof(MobileNetV2))
    {
        var linear = Linear(LastOutputs, classes);
        init.normal_(linear.weight, 0, ClassifierDeviation);
        init.zeros_(linear.bias!);
        features = Sequential([.. Layers().Select((layer, i) => ($"{i}", layer))]);
        classifier = Sequential(("0", Dropout(DropoutRate)), ("1", linear));
        RegisterComponents();
        Initialization.Apply(this);
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = functional.adaptive_avg_pool2d(features.call(input), 1).flatten(1);
        return classifier.call(x).MoveToOuterDisposeScope();
    }

    private static IEnumerable<Module<Tensor, Tensor>> Layers()
    {
        yield return ConvNorm.Dense(3, StemOutputs, 3, 2, ReLU6(inplace: true));
        var inputs = StemOutputs;
        foreach (var (expansion, outputs, repetitions, stride) in Rows)
        {
            for (var i = 0; i < repetitions; i++)
            {
                yield return new InvertedResidual(inputs, outputs, i == 0 ? stride : 1, expansion);
                inputs = outputs;
            }
        }

        yield return ConvNorm.Dense(inputs, LastOutputs, 1, 1, ReLU6(inplace: true));
    }
}
