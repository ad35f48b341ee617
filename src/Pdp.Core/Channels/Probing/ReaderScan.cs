using static TorchSharp.torch;

namespace Pdp.Channels.Probing;

/// <summary>Finds the channels that readers depend on, by passes in which half of the channels are zeroed.</summary>
/// <remarks>
/// A layer whose own weights are readers must stay active: a zero channel before a ReLU passes no gradient to the weights that produce it.
/// </remarks>
internal sealed class ReaderScan
{
    private static readonly HashSet<ProbedLayer> None = [];

    private readonly ProbeState _state;
    private readonly ProbePass _pass;
    private readonly IReadOnlyDictionary<ProbedLayer, long> _units;
    private readonly HashSet<ProbedLayer> _active;
    private readonly Dictionary<(int Bit, int Value), double[][]> _magnitudes = [];
    private double[][]? _baseline;
    private (ProbedLayer? Layer, double[][] Magnitudes) _lastZeroed = (null, []);

    /// <summary>Runs the passes.</summary>
    /// <param name="state">The state of the model.</param>
    /// <param name="pass">A forward and a backward pass.</param>
    /// <param name="units">The layers whose channels are zeroed, and the number of units of adjacent channels in each.</param>
    /// <param name="readers">The readers.</param>
    /// <param name="active">Layers that stay active.</param>
    public ReaderScan(
        ProbeState state,
        ProbePass pass,
        IReadOnlyDictionary<ProbedLayer, long> units,
        IReadOnlyList<Reader> readers,
        IEnumerable<ProbedLayer> active)
    {
        _state = state;
        _pass = pass;
        _units = units;
        _active = [.. active];
        Readers = readers;
        Decoded = Decode();
    }

    public IReadOnlyList<Reader> Readers { get; }

    /// <summary>The channel that each slice of each reader depends on.</summary>
    public DecodedChannel[][] Decoded { get; }

    /// <summary>The slices of each reader that become nonzero when one layer's odd units do, while those of all others are zero.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="sources">The layers whose channels this one needs to be nonzero: those that feed a grouped convolution.</param>
    public bool[][] FedByOdd(ProbedLayer layer, IReadOnlySet<ProbedLayer> sources)
    {
        if (_active.Contains(layer) || _units[layer] == 1 || !Decoded.Any(slices => slices.Any(slice => !slice.IsOpen)))
            return [.. Readers.Select(reader => new bool[reader.Slices])];

        var before = sources.Count == 0 ? _magnitudes[(0, 1)] : Pass(0, 1, sources);
        var after = Pass(0, 1, sources.Append(layer).ToHashSet());
        return [.. before.Zip(after, (zeroed, fed) => zeroed.Zip(fed, (was, stays) => was == 0 && stays != 0).ToArray())];
    }

    /// <summary>The slices of each reader that become zero with one layer's odd units alone: those where the layer is a factor.</summary>
    public bool[][] ZeroedByOdd(ProbedLayer layer)
    {
        if (Passes(layer) is not var (baseline, zeroed))
            return [.. Readers.Select(reader => new bool[reader.Slices])];

        return [.. baseline.Zip(zeroed, (before, after) => before.Zip(after, (was, isNow) => was != 0 && isNow == 0).ToArray())];
    }

    /// <summary>
    /// The first reader whose odd units change, and whose even units don't, when the layer's odd units are zeroed; null if there is none.
    /// </summary>
    /// <param name="layer">The layer.</param>
    /// <param name="later">The layers that may read its outputs.</param>
    public Reader? Disturbed(ProbedLayer layer, IReadOnlySet<ProbedLayer> later)
    {
        if (Passes(layer) is not var (baseline, zeroed))
            return null;

        return Readers.Index()
            .Where(pair => pair.Item.Layer is { } reader && later.Contains(reader) && pair.Item.Slices % _units[layer] == 0)
            .FirstOrDefault(pair => IsDisturbed(pair.Index)).Item;

        bool IsDisturbed(int reader)
        {
            var block = Readers[reader].Slices / _units[layer];
            var changes = baseline[reader].Zip(zeroed[reader], (before, after) => before == 0 ? 0 : Math.Abs((after / before) - 1))
                .Index().ToArray();
            double MeanOf(int parity) => changes.Where(change => change.Index / block % 2 == parity).Average(change => change.Item);
            return MeanOf(1) > 1e-4 + (8 * MeanOf(0));
        }
    }

    /// <summary>The gradients while all channels are active, and while a layer's odd units are zeroed; null if they can't be.</summary>
    private (double[][] Baseline, double[][] Zeroed)? Passes(ProbedLayer layer)
    {
        if (_active.Contains(layer) || _units[layer] == 1)
            return null;

        _baseline ??= Pass((_, _) => false);
        if (_lastZeroed.Layer != layer)
            _lastZeroed = (layer, Pass((other, channel) => other == layer && UnitOf(other, channel) % 2 == 1));
        return (_baseline, _lastZeroed.Magnitudes);
    }

    private DecodedChannel[][] Decode()
    {
        if (Readers.Count == 0)
            return [];

        var bits = _units.Values.Max(ChannelCode.Bits);
        for (var bit = 0; bit < bits; bit++)
        {
            _magnitudes[(bit, 0)] = Pass(bit, 0, None);
            _magnitudes[(bit, 1)] = Pass(bit, 1, None);
            // A slice that depends on one channel vanishes in exactly one of the two passes of each bit.
            if (bit == 0 && !_magnitudes.Values.Any(readers => readers.Any(slices => slices.Contains(0))))
                bits = 1;
        }

        DecodedChannel Of(int reader, int slice) =>
            DecodedChannel.Of(
            [
                .. Enumerable.Range(0, bits)
                    .Select(bit => (_magnitudes[(bit, 0)][reader][slice] == 0, _magnitudes[(bit, 1)][reader][slice] == 0)),
            ]);
        return [.. Readers.Select((reader, r) => Enumerable.Range(0, (int)reader.Slices).Select(slice => Of(r, slice)).ToArray())];
    }

    /// <summary>Runs a pass with half of the channels zeroed, and returns the magnitudes of the readers' gradients.</summary>
    private double[][] Pass(int bit, int value, IReadOnlySet<ProbedLayer> released) =>
        Pass((layer, channel) => !released.Contains(layer) && !_active.Contains(layer)
            && ChannelCode.IsZeroed(_units[layer], UnitOf(layer, channel), bit, value));

    private double[][] Pass(Func<ProbedLayer, long, bool> isZeroed)
    {
        using var scope = NewDisposeScope();
        _state.Zero(isZeroed);
        _pass.Run();
        return [.. Readers.Select(reader => reader.Magnitudes())];
    }

    private long UnitOf(ProbedLayer layer, long channel) => channel / (layer.Outputs / _units[layer]);
}
