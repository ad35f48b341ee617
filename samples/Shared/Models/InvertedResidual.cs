using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Models;

/// <summary>A 1×1 convolution that widens, a depthwise one and a 1×1 that narrows, beside a shortcut where the shape is kept.</summary>
internal sealed class InvertedResidual : Module<Tensor, Tensor>
{
    private static readonly TorchSharp.Scalar One = 1.0;
    private readonly Sequential conv;
    private readonly bool _hasShortcut;

    public InvertedResidual(int inputs, int outputs, int stride, int expansion)
        : base(nameof(InvertedResidual))
    {
        conv = Sequential([.. Layers(inputs, outputs, stride, expansion).Select((layer, i) => ($"{i}", layer))]);
        _hasShortcut = stride == 1 && inputs == outputs;
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = conv.call(input);
        return (_hasShortcut ? x.add_(input, One) : x).MoveToOuterDisposeScope();
    }

    private static IEnumerable<Module<Tensor, Tensor>> Layers(int inputs, int outputs, int stride, int expansion)
    {
        var width = inputs * expansion;
        if (expansion != 1)
        {
            yield return ConvNorm.Dense(inputs, width, 1, 1, ReLU6(inplace: true));
        }

        yield return ConvNorm.Depthwise(width, stride, ReLU6(inplace: true));
        yield return Conv2d(width, outputs, 1, bias: false);
        yield return BatchNorm2d(outputs);
    }
}
