using Pdp.Channels.Probing.Running;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Channels.Probing.Reading;

/// <summary>Slices of a parameter whose gradients vanish with the channels that they depend on.</summary>
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

    /// <summary>The layer whose inputs or gates these are; null for other kinds.</summary>
    public ProbedLayer? Layer { get; }

    /// <summary>The inputs of a layer; the gradient of one vanishes with the channel that it reads.</summary>
    public static Reader OfInputs(ProbedLayer layer) =>
        new(layer.WeightName, ReaderKind.Inputs, layer.Weight, layer.Inputs, layer, layer.LargestByInput);

    /// <summary>The outputs of a layer; the gradient of one vanishes if it only scales a zero channel.</summary>
    public static Reader OfGates(ProbedLayer layer) =>
        new(layer.WeightName, ReaderKind.Gates, layer.Weight, layer.Outputs, layer, layer.LargestByOutput);

    /// <summary>The elements of a vector that scales channels, as in a norm.</summary>
    public static Reader OfElements(string name, Parameter parameter) =>
        new(name, ReaderKind.Elements, parameter, parameter.numel(), null, values => values.reshape(-1));

    /// <summary>Slices of a parameter that belongs to no layer, along one of its dimensions. They can't be cut.</summary>
    public static Reader OfOther(string name, Parameter parameter, int dimension)
    {
        long[] others = [.. Enumerable.Range(0, (int)parameter.dim()).Where(other => other != dimension).Select(other => (long)other)];
        return new(name, ReaderKind.Other, parameter, parameter.shape[dimension], null, values => values.abs().amax(others));
    }

    /// <summary>The largest magnitude of the gradient in each slice; exactly zero if the slice reads only zeros.</summary>
    public double[] Magnitudes()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var gradient = _parameter.grad;
        return gradient is null
            ? new double[Slices]
            : _largest(gradient).abs().to_type(ScalarType.Float64).cpu().contiguous().data<double>().ToArray();
    }
}
