using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Channels.Probing;

/// <summary>Slices of a parameter whose gradients fall silent with the channels that they depend on.</summary>
internal sealed class Reader
{
    private static readonly Scalar Zero = 0.ToScalar();

    private readonly Parameter _parameter;
    private readonly Func<Tensor, Tensor> _largest;

    private Reader(string name, ReaderKind kind, Parameter parameter, long slices, ProbedLayer? layer, Func<Tensor, Tensor> largest)
    {
        Name = name;
        Kind = kind;
        Slices = slices;
        Layer = layer;
        _parameter = parameter;
        _largest = largest;
    }

    /// <summary>The parameter's name.</summary>
    public string Name { get; }

    public ReaderKind Kind { get; }

    public long Slices { get; }

    /// <summary>The layer whose inputs or gates these are; null for elements.</summary>
    public ProbedLayer? Layer { get; }

    /// <summary>The inputs of a layer: silent where the channel that they read is.</summary>
    public static Reader OfInputs(ProbedLayer layer) => new(layer.WeightName, ReaderKind.Inputs, layer.Weight, layer.Inputs, layer, layer.LargestByInput);

    /// <summary>The outputs of a layer: silent where they only scale a silent channel.</summary>
    public static Reader OfGates(ProbedLayer layer) => new(layer.WeightName, ReaderKind.Gates, layer.Weight, layer.Outputs, layer, layer.LargestByOutput);

    /// <summary>The elements of a vector that scales channels, as in a norm.</summary>
    public static Reader OfElements(string name, Parameter parameter) =>
        new(name, ReaderKind.Elements, parameter, parameter.numel(), null, values => values);

    /// <summary>Which slices have no gradient.</summary>
    public bool[] Silent()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var gradient = _parameter.grad;
        if (gradient is null)
            return [.. Enumerable.Repeat(true, (int)Slices)];

        var silent = _largest(gradient).eq(Zero).cpu();
        return silent.data<bool>().ToArray();
    }
}
