using Pdp.Channels.Probing.Running;
using static TorchSharp.torch;

namespace Pdp.Channels.Probing.Reading;

/// <summary>Finds the channels that readers depend on, by passes in which half of the channels are zeroed.</summary>
/// <remarks>
/// A layer whose own weights are readers must stay active: a zero channel before a ReLU passes no gradient to the weights that produce it.
/// </remarks>
internal sealed class ReaderScan
{
    private static readonly HashSet<ProbedLayer> None = [];

    private readonly ProbeState _state;
    private readonly ProbePass _pass;
    private readonly IReadOnlyDictionary<ProbedLayer, ChannelLayout> _layouts;
    private readonly HashSet<ProbedLayer> _active;
    private readonly Dictionary<(int Bit, int Value), double[][]> _magnitudes = [];
    private double[][]? _withoutFound;

    /// <summary>Runs the passes.</summary>
    /// <param name="state">The state of the model.</param>
    /// <param name="pass">A forward and a backward pass.</param>
    /// <param name="layouts">The layers whose channels are zeroed, and the units in which they are.</param>
    /// <param name="readers">The readers.</param>
    /// <param name="active">Layers that stay active.</param>
    public ReaderScan(
        ProbeState state,
        ProbePass pass,
        IReadOnlyDictionary<ProbedLayer, ChannelLayout> layouts,
        IReadOnlyList<Reader> readers,
        IEnumerable<ProbedLayer> active)
    {
        _state = state;
        _pass = pass;
        _layouts = layouts;
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
        if (_active.Contains(layer) || _layouts[layer].Units == 1 || !Decoded.Any(slices => slices.Any(slice => !slice.IsOpen)))
            return [.. Readers.Select(reader => new bool[reader.Slices])];

        var before = sources.Count == 0 ? _magnitudes[(0, 1)] : Pass(0, 1, sources);
        var after = Pass(0, 1, sources.Append(layer).ToHashSet());
        return [.. before.Zip(after, (zeroed, fed) => zeroed.Zip(fed, (was, stays) => was == 0 && stays != 0).ToArray())];
    }

    /// <summary>
    /// The slices of each reader that become zero with one layer's odd units, while those of some layers are zero already: the layer's
    /// channels are factors there.
    /// </summary>
    /// <param name="layer">The layer.</param>
    /// <param name="found">The layers whose readers are known; what only these feed doesn't count.</param>
    public bool[][] ZeroedByOdd(ProbedLayer layer, IReadOnlySet<ProbedLayer> found)
    {
        if (_active.Contains(layer) || _layouts[layer].Units == 1)
            return [.. Readers.Select(reader => new bool[reader.Slices])];

        _withoutFound ??= Pass((other, channel) => found.Contains(other) && IsOdd(other, channel));
        var zeroed = Pass((other, channel) => (found.Contains(other) || other == layer) && IsOdd(other, channel));
        return [.. _withoutFound.Zip(zeroed, (before, after) => before.Zip(after, (was, isNow) => was != 0 && isNow == 0).ToArray())];
    }

    private bool IsOdd(ProbedLayer layer, long channel) => !_active.Contains(layer) && UnitOf(layer, channel) % 2 == 1;

    private DecodedChannel[][] Decode()
    {
        if (Readers.Count == 0)
            return [];

        var bits = _layouts.Values.Max(layout => ChannelCode.Bits(layout.Units));
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
            && ChannelCode.IsZeroed(_layouts[layer].Units, UnitOf(layer, channel), bit, value));

    private double[][] Pass(Func<ProbedLayer, long, bool> isZeroed)
    {
        using var scope = NewDisposeScope();
        _state.Zero(isZeroed);
        _pass.Run();
        return [.. Readers.Select(reader => reader.Magnitudes())];
    }

    private long UnitOf(ProbedLayer layer, long channel) => _layouts[layer].UnitOf(channel, layer.Outputs);
}
