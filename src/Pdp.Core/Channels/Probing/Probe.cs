using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>Finds by ordinary passes which layer's channels reach which slices of which parameters.</summary>
internal sealed class Probe
{
    private readonly ProbeState _state;
    private readonly Func<Tensor> _forward;
    private readonly Dictionary<(int Bit, int Value), bool[][]> _silence = [];
    private double[]? _mixture;

    public Probe(Module model, IReadOnlyList<ProbedLayer> layers, ProbeState state, Func<Tensor> forward)
    {
        _state = state;
        _forward = forward;
        Layers = layers;
        Readers = [.. ReadersOf(model, layers)];
    }

    public IReadOnlyList<ProbedLayer> Layers { get; }

    public IReadOnlyList<Reader> Readers { get; }

    /// <summary>What each slice of each reader depends on.</summary>
    public Decoded[][] Decode()
    {
        var bits = Layers.Max(layer => ChannelCode.Bits(layer.Outputs));
        for (var bit = 0; bit < bits; bit++)
        {
            _silence[(bit, 0)] = Pass(bit, 0, sounding: null);
            _silence[(bit, 1)] = Pass(bit, 1, sounding: null);
        }

        return [.. Readers.Select((reader, r) => Enumerable.Range(0, (int)reader.Slices)
            .Select(slice => Decoded.Of([.. Enumerable.Range(0, bits).Select(bit => (_silence[(bit, 0)][r][slice], _silence[(bit, 1)][r][slice]))]))
            .ToArray())];
    }

    /// <summary>The slices of each reader that sound when one layer's silenced channels do: those that the layer feeds.</summary>
    public bool[][] FedBy(ProbedLayer layer)
    {
        var fed = Readers.Select(reader => new bool[reader.Slices]).ToArray();
        for (var value = 0; value < 2 && layer.Outputs > 1; value++)
        {
            var sounding = Pass(0, value, layer);
            foreach (var (r, slices) in fed.Index())
                for (var slice = 0; slice < slices.Length; slice++)
                    slices[slice] |= _silence[(0, value)][r][slice] && !sounding[r][slice];
        }

        return fed;
    }

    private static IEnumerable<Reader> ReadersOf(Module model, IReadOnlyList<ProbedLayer> layers)
    {
        foreach (var layer in layers)
        {
            yield return Reader.OfInputs(layer);
            if (layer.ConnectionGroups == 1 && layer.Inputs > 1)
                yield return Reader.OfGates(layer);
        }

        var known = layers.SelectMany(layer => new[] { layer.WeightName, layer.BiasName }).ToHashSet(StringComparer.Ordinal);
        var shifts = ModelModules.Of(model).Where(pair => IsNorm(pair.Module)).Select(pair => ProbedLayer.Dotted(pair.Name, "bias")).ToHashSet(StringComparer.Ordinal);
        foreach (var (name, parameter) in model.named_parameters())
        {
            if (parameter.dim() == 1 && parameter.is_floating_point() && !known.Contains(name) && !shifts.Contains(name))
                yield return Reader.OfElements(name, parameter);
        }
    }

    private static bool IsNorm(Module module) => module is NormBase or TorchSharp.Modules.GroupNorm or TorchSharp.Modules.LayerNorm;

    /// <summary>One pass forward and back with half of the channels silent; which slices were.</summary>
    private bool[][] Pass(int bit, int value, ProbedLayer? sounding)
    {
        using var scope = NewDisposeScope();
        _state.Silence((layer, channel) => layer != sounding && ChannelCode.IsSilent(layer.Outputs, channel, bit, value));
        _state.ClearGradients();
        Mix(_forward()).backward();
        return [.. Readers.Select(reader => reader.Silent())];
    }

    /// <summary>One number out of the model's output, to which every element contributes differently.</summary>
    private Tensor Mix(Tensor output)
    {
        if (_mixture?.Length != output.numel())
        {
            using var random = new Generator(1, CPU);
            _mixture = rand(output.numel(), dtype: ScalarType.Float64, generator: random).data<double>().ToArray();
        }

        return output.reshape(-1).mul(tensor(_mixture).to(output.dtype, output.device)).sum();
    }
}
