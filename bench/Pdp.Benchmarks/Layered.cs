using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Benchmarks;

/// <summary>The weights of ResNet18's twenty convolutions, 11.2 M, with nothing around them.</summary>
internal sealed class Layered : Module
{
    public const int All = 20;

    /// <summary>The first ones, with 0.7 M weights.</summary>
    public const int Few = 10;

    private readonly ParameterList _weights;

    public Layered(int layers)
        : base(nameof(Layered))
    {
        _weights = new([.. Shapes().Take(layers).Select(shape => new Parameter(randn(shape).mul_(tensor(0.02f))))]);
        RegisterComponents();
    }

    private static IEnumerable<long[]> Shapes()
    {
        yield return [64, 3, 7, 7];
        var inputs = 64L;
        foreach (var outputs in (long[])[64, 128, 256, 512])
        {
            yield return [outputs, inputs, 3, 3];
            for (var i = 0; i < 3; i++)
                yield return [outputs, outputs, 3, 3];
            if (inputs != outputs)
                yield return [outputs, inputs, 1, 1];
            inputs = outputs;
        }
    }
}
