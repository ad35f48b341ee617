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
    private readonly ProbePass _pass;
    private readonly IReadOnlyDictionary<ProbedLayer, long> _units;
    private readonly HashSet<ProbedLayer> _sounding;
    private readonly Dictionary<(int Bit, int Value), double[][]> _loudness = [];
    private double[][]? _sound;
    private (ProbedLayer? Layer, double[][] Loudness) _lastSilent = (null, []);

    /// <summary>Makes the passes.</summary>
    /// <param name="state">The model.</param>
    /// <param name="pass">A pass forward and back.</param>
    /// <param name="units">The layers whose channels fall silent, and in how many units of neighbours they do.</param>
    /// <param name="readers">The readers.</param>
    /// <param name="sounding">Layers that don't.</param>
    public Survey(ProbeState state, ProbePass pass, IReadOnlyDictionary<ProbedLayer, long> units, IReadOnlyList<Reader> readers, IEnumerable<ProbedLayer> sounding)
    {
        _state = state;
        _pass = pass;
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

        var before = sources.Count == 0 ? _loudness[(0, 1)] : Pass(0, 1, sources);
        var after = Pass(0, 1, sources.Append(layer).ToHashSet());
        return [.. before.Zip(after, (silent, still) => silent.Zip(still, (was, stays) => was == 0 && stays != 0).ToArray())];
    }

    /// <summary>The slices of each reader that fall silent with one layer's odd channels alone, while all others sound: where it is a factor.</summary>
    public bool[][] SilencedByOdd(ProbedLayer layer)
    {
        if (Passes(layer) is not var (sound, silent))
            return [.. Readers.Select(reader => new bool[reader.Slices])];

        return [.. sound.Zip(silent, (before, after) => before.Zip(after, (was, isNow) => was != 0 && isNow == 0).ToArray())];
    }

    /// <summary>The first reader that sees the layer's odd channels change, and not the others, when they fall silent; null if there is none.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="behind">The layers whose inputs can be of its outputs.</param>
    public Reader? Disturbed(ProbedLayer layer, IReadOnlySet<ProbedLayer> behind)
    {
        if (Passes(layer) is not var (sound, silent))
            return null;

        return Readers.Index().FirstOrDefault(pair => pair.Item.Layer is { } reader && behind.Contains(reader) && pair.Item.Slices % _units[layer] == 0 && IsDisturbed(pair.Index)).Item;

        bool IsDisturbed(int reader)
        {
            var block = Readers[reader].Slices / _units[layer];
            var changes = sound[reader].Zip(silent[reader], (before, after) => before == 0 ? 0 : Math.Abs((after / before) - 1)).Index().ToArray();
            double MeanOf(int parity) => changes.Where(change => change.Index / block % 2 == parity).Average(change => change.Item);
            return MeanOf(1) > 1e-4 + (8 * MeanOf(0));
        }
    }

    /// <summary>The loudness while all sounds, and while a layer's odd channels are silent; null if they can't be.</summary>
    private (double[][] Sound, double[][] Silent)? Passes(ProbedLayer layer)
    {
        if (_sounding.Contains(layer) || _units[layer] == 1)
            return null;

        _sound ??= Pass((_, _) => false);
        if (_lastSilent.Layer != layer)
            _lastSilent = (layer, Pass((other, channel) => other == layer && UnitOf(other, channel) % 2 == 1));
        return (_sound, _lastSilent.Loudness);
    }

    private Decoded[][] Decode()
    {
        if (Readers.Count == 0)
            return [];

        var bits = _units.Values.Max(ChannelCode.Bits);
        for (var bit = 0; bit < bits; bit++)
        {
            _loudness[(bit, 0)] = Pass(bit, 0, None);
            _loudness[(bit, 1)] = Pass(bit, 1, None);
            // What depends on one channel falls silent with every bit, in one of both ways.
            if (bit == 0 && !_loudness.Values.Any(readers => readers.Any(slices => slices.Contains(0))))
                bits = 1;
        }

        Decoded Of(int reader, int slice) =>
            Probing.Decoded.Of([.. Enumerable.Range(0, bits).Select(bit => (_loudness[(bit, 0)][reader][slice] == 0, _loudness[(bit, 1)][reader][slice] == 0))]);
        return [.. Readers.Select((reader, r) => Enumerable.Range(0, (int)reader.Slices).Select(slice => Of(r, slice)).ToArray())];
    }

    /// <summary>One pass with half of the channels silent; how loud the slices were.</summary>
    private double[][] Pass(int bit, int value, IReadOnlySet<ProbedLayer> released) =>
        Pass((layer, channel) => !released.Contains(layer) && !_sounding.Contains(layer) && ChannelCode.IsSilent(_units[layer], UnitOf(layer, channel), bit, value));

    private double[][] Pass(Func<ProbedLayer, long, bool> isSilent)
    {
        using var scope = NewDisposeScope();
        _state.Silence(isSilent);
        _pass.Run();
        return [.. Readers.Select(reader => reader.Loudness())];
    }

    private long UnitOf(ProbedLayer layer, long channel) => channel / (layer.Outputs / _units[layer]);
}
