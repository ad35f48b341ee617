using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Channels.Probing;

/// <summary>Slices of a parameter whose gradients fall silent with the channels that they depend on.</summary>
internal sealed class Reader
{
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
        new(name, ReaderKind.Elements, parameter, parameter.numel(), null, values => values.reshape(-1));

    /// <summary>Slices of a parameter that belongs to no layer, along one of its dimensions: what it reads there can't be cut.</summary>
    public static Reader OfBare(string name, Parameter parameter, int dimension) =>
        new(name, ReaderKind.Bare, parameter, parameter.shape[dimension], null, values => values.abs().amax([.. Enumerable.Range(0, (int)values.dim()).Where(other => other != dimension).Select(other => (long)other)]));

    /// <summary>The largest gradient of each slice; exactly zero where it is silent.</summary>
    public double[] Loudness()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var gradient = _parameter.grad;
        return gradient is null ? new double[Slices] : _largest(gradient).abs().to_type(ScalarType.Float64).cpu().contiguous().data<double>().ToArray();
    }
}
