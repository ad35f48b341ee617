using static TorchSharp.torch;

namespace Pdp.Channels.Probing;

/// <summary>What some readers depend on, found by passes in which half of the channels are silent.</summary>
/// <remarks>
/// A layer whose own weights are read has to sound throughout: a silent channel in front of a ReLU passes no gradient to the weights that make it.
/// </remarks>
internal sealed class Survey
{
    private static readonly HashSet<ProbedLayer> None = [];

    private readonly ProbeState _state;
    private readonly Func<Tensor> _mixedOutput;
    private readonly IReadOnlyDictionary<ProbedLayer, long> _units;
    private readonly HashSet<ProbedLayer> _sounding;
    private readonly Dictionary<(int Bit, int Value), bool[][]> _silence = [];

    /// <summary>Makes the passes.</summary>
    /// <param name="state">The model.</param>
    /// <param name="mixedOutput">One number that every element of the model's output contributes to.</param>
    /// <param name="units">The layers whose channels fall silent, and in how many units of neighbours they do.</param>
    /// <param name="readers">The readers.</param>
    /// <param name="sounding">Layers that don't.</param>
    public Survey(ProbeState state, Func<Tensor> mixedOutput, IReadOnlyDictionary<ProbedLayer, long> units, IReadOnlyList<Reader> readers, IEnumerable<ProbedLayer> sounding)
    {
        _state = state;
        _mixedOutput = mixedOutput;
        _units = units;
        _sounding = [.. sounding];
        Readers = readers;
        Decoded = Decode();
    }

    public IReadOnlyList<Reader> Readers { get; }

    /// <summary>What each slice of each reader depends on.</summary>
    public Decoded[][] Decoded { get; }

    /// <summary>The slices of each reader that sound when one layer's odd channels do, while those of all others are silent.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="sources">The layers without whose channels this one is silent: those that feed a grouped convolution.</param>
    public bool[][] FedByOdd(ProbedLayer layer, IReadOnlySet<ProbedLayer> sources)
    {
        if (_sounding.Contains(layer) || _units[layer] == 1 || !Decoded.Any(slices => slices.Any(slice => !slice.IsOpen)))
            return [.. Readers.Select(reader => new bool[reader.Slices])];

        var before = sources.Count == 0 ? _silence[(0, 1)] : Pass(0, 1, sources);
        var after = Pass(0, 1, sources.Append(layer).ToHashSet());
        return [.. before.Zip(after, (silent, still) => silent.Zip(still, (was, stays) => was && !stays).ToArray())];
    }

    private Decoded[][] Decode()
    {
        if (Readers.Count == 0)
            return [];

        var bits = _units.Values.Max(ChannelCode.Bits);
        for (var bit = 0; bit < bits; bit++)
        {
            _silence[(bit, 0)] = Pass(bit, 0, None);
            _silence[(bit, 1)] = Pass(bit, 1, None);
        }

        Decoded Of(int reader, int slice) =>
            Probing.Decoded.Of([.. Enumerable.Range(0, bits).Select(bit => (_silence[(bit, 0)][reader][slice], _silence[(bit, 1)][reader][slice]))]);
        return [.. Readers.Select((reader, r) => Enumerable.Range(0, (int)reader.Slices).Select(slice => Of(r, slice)).ToArray())];
    }

    /// <summary>One pass forward and back with half of the channels silent; which slices were.</summary>
    private bool[][] Pass(int bit, int value, IReadOnlySet<ProbedLayer> released)
    {
        using var scope = NewDisposeScope();
        _state.Silence((layer, channel) => !released.Contains(layer) && !_sounding.Contains(layer) && ChannelCode.IsSilent(_units[layer], channel / (layer.Outputs / _units[layer]), bit, value));
        _state.ClearGradients();
        _mixedOutput().backward();
        return [.. Readers.Select(reader => reader.Silent())];
    }
}
