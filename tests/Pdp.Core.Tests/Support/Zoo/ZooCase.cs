using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>A network and the truth about its channels, from its mathematics.</summary>
/// <remarks>
/// Layers are called by their names. A group is written as the layers whose filters make it, "conv1 conv2"; those in brackets, as gates,
/// may
/// count as filters of it or merely go with it.
/// </remarks>
internal sealed record ZooCase(ZooModel Model)
{
    public ZooCase(string name, Func<Module<Tensor, Tensor>> build, params long[] input)
        : this(new ZooModel(name, build, input))
    {
    }

    public string Name => Model.Name;

    /// <summary>The groups that must be found.</summary>
    public string[] Groups { get; init; } = [];

    /// <summary>The groups that are right, but may be refused: they take more than reading channels one by one to see.</summary>
    public string[] Either { get; init; } = [];

    /// <summary>The layers that must be refused, each with words of which the reason must have one: "fc: leave the model|output".</summary>
    public string[] Unsupported { get; init; } = [];

    /// <summary>Other inputs that the network takes, without the batch.</summary>
    public long[][] OtherSizes { get; init; } = [];

    /// <summary>The number of words if the inputs are such; 0 if they are numbers.</summary>
    public int Vocabulary { get; init; }

    /// <summary>The dimension along which one output lies beside another.</summary>
    public int Features { get; init; } = 1;

    /// <summary>An input of one of the sizes, of one of several scales and signs.</summary>
    public Tensor Input(int seed, ScalarType type, int batch = 0)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        long[][] sizes = [Model.Input, .. OtherSizes];
        long[] shape = [batch > 0 ? batch : 2 + (seed % 3), .. sizes[seed % sizes.Length]];
        var input = randn(shape, generator: generator).to_type(type);
        if (Vocabulary > 0)
            return randint(0, Vocabulary, shape, generator: generator).to_type(ScalarType.Int64).MoveToOuterDisposeScope();
        return (seed % 5) switch
        {
            0 => input.abs().MoveToOuterDisposeScope(),
            1 => input.abs().neg().MoveToOuterDisposeScope(),
            2 => input.add(input, One).MoveToOuterDisposeScope(),
            _ => input.MoveToOuterDisposeScope(),
        };
    }

    public override string ToString() => Name;

    private static readonly TorchSharp.Scalar One = 1.0;
}
