using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>Finds which slices of parameters read each layer's channels, by forward and backward passes.</summary>
/// <param name="model">The model.</param>
/// <param name="layers">Its layers.</param>
/// <param name="state">The state of the model.</param>
/// <param name="positive">A pass on positive inputs.</param>
/// <param name="mixed">A pass on inputs of both signs.</param>
internal sealed class Probe(Module model, IReadOnlyList<ProbedLayer> layers, ProbeState state, ProbePass positive, ProbePass mixed)
{
    private readonly Dictionary<ProbedLayer, string> _hints = [];

    /// <summary>The readers of each layer's channels.</summary>
    public IReadOnlyList<LayerFeed> Feeds()
    {
        var reads = layers.ToDictionary(layer => layer, _ => new List<LayerRead>());
        var grouped = layers.Where(layer => layer.ConnectionGroups > 1).ToArray();
        Look(positive, reads, ChannelUnits.Single(layers), [.. grouped.Select(Reader.OfInputs)], grouped);
        var units = ChannelUnits.Joined(reads);
        var plain = layers.Except(grouped).ToArray();
        var scan = Look(positive, reads, units, [.. plain.Select(Reader.OfInputs), .. Elements(isSlope: false), .. OtherMatrices()], []);
        LookForFactors(reads, units, scan);

        // Channels without readers may scale other channels that have some.
        var unread = plain.Where(layer => reads[layer].Count == 0 && layer.Inputs > 1).ToArray();
        Look(positive, reads, units, [.. unread.Select(Reader.OfGates)], unread);

        // The slopes of PReLU get gradients only from negative inputs.
        state.MixSigns();
        Look(mixed, reads, units, [.. Elements(isSlope: true)], []);
        return [.. layers.Select(layer => LayerFeed.Of(layer, units[layer], reads[layer], _hints.GetValueOrDefault(layer)))];
    }

    private static bool IsNorm(Module module) => module is NormBase or TorchSharp.Modules.GroupNorm or TorchSharp.Modules.LayerNorm;

    private ReaderScan Look(
        ProbePass pass,
        Dictionary<ProbedLayer, List<LayerRead>> reads,
        Dictionary<ProbedLayer, long> units,
        IReadOnlyList<Reader> readers,
        IReadOnlyList<ProbedLayer> active)
    {
        var scan = new ReaderScan(state, pass, units, readers, active);
        foreach (var layer in layers)
            Add(reads[layer], units[layer], scan, scan.FedByOdd(layer, SourcesOf(layer, reads)));
        return scan;
    }

    /// <summary>
    /// Finds the readers of channels that are multiplied by others: they vanish with the others, and show only while the others are
    /// nonzero.
    /// </summary>
    private void LookForFactors(Dictionary<ProbedLayer, List<LayerRead>> reads, Dictionary<ProbedLayer, long> units, ReaderScan scan)
    {
        foreach (var layer in layers.Where(layer => units[layer] > 1 && !reads[layer].Any(read => read.Reader.Kind == ReaderKind.Inputs)))
        {
            Add(reads[layer], units[layer], scan, scan.ZeroedByOdd(layer));
            var later = layers.SkipWhile(other => other != layer).Skip(1).ToHashSet();
            if (reads[layer].Count == 0 && scan.Disturbed(layer, later) is { } reader)
            {
                _hints[layer] = $"{reader.Name} reads its channels where a masked one isn't zero: "
                    + "after a norm over channels, a sigmoid, softplus, exp or similar, or an addition";
            }
        }
    }

    private static void Add(List<LayerRead> reads, long units, ReaderScan scan, bool[][] fedByOdd)
    {
        foreach (var (r, fed) in fedByOdd.Index().Where(pair => pair.Item.Contains(true)))
        {
            var read = LayerRead.Of(units, scan.Readers[r], scan.Decoded[r], fed);
            if (!reads.Any(read.Overlaps))
                reads.Add(read);
        }
    }

    /// <summary>The layers whose channels a grouped convolution passes through, directly or via other grouped convolutions.</summary>
    private static HashSet<ProbedLayer> SourcesOf(ProbedLayer layer, Dictionary<ProbedLayer, List<LayerRead>> reads)
    {
        var sources = new HashSet<ProbedLayer>();
        var open = new Stack<ProbedLayer>([layer]);
        while (open.TryPop(out var reader))
        {
            if (reader.ConnectionGroups == 1)
                continue;
            foreach (var source in reads.Keys.Where(source => reads[source].Any(read => read.Reader.Layer == reader)).Where(sources.Add))
                open.Push(source);
        }

        sources.Remove(layer);
        return sources;
    }

    /// <summary>Vectors that scale channels. A norm's shift is left out, since it is cut with its scale.</summary>
    private IEnumerable<Reader> Elements(bool isSlope)
    {
        var modules = ModelModules.Of(model);
        HashSet<string> Named(Func<Module, bool> matches, string parameter) =>
            [.. modules.Where(pair => matches(pair.Module)).Select(pair => ProbedLayer.Dotted(pair.Name, parameter))];
        var slopes = Named(module => module is TorchSharp.Modules.PReLU, "weight");
        var shifts = Named(IsNorm, "bias");
        shifts.UnionWith(layers.Select(layer => layer.BiasName));
        return Free()
            .Where(pair => IsVector(pair.Parameter) && !shifts.Contains(pair.Name) && slopes.Contains(pair.Name) == isSlope)
            .Select(pair => Reader.OfElements(pair.Name, pair.Parameter));
    }

    /// <summary>
    /// Parameters of two or more dimensions that belong to no layer: the model's own matrices, recurrent layers, embeddings.
    /// </summary>
    private IEnumerable<Reader> OtherMatrices() => Free()
        .Where(pair => !IsVector(pair.Parameter))
        .SelectMany(pair => Enumerable.Range(0, (int)pair.Parameter.dim())
            .Where(dimension => pair.Parameter.shape[dimension] > 1)
            .Select(dimension => Reader.OfOther(pair.Name, pair.Parameter, dimension)));

    private IEnumerable<(string Name, Parameter Parameter)> Free()
    {
        var taken = layers.Select(layer => TensorAddress.OfNative(layer.Weight)).ToHashSet();
        return model.named_parameters()
            .Where(pair => pair.parameter.is_floating_point() && pair.parameter.numel() > 1)
            .Where(pair => !taken.Contains(TensorAddress.OfNative(pair.parameter)))
            .Select(pair => (pair.name, pair.parameter));
    }

    private static bool IsVector(Parameter parameter) => parameter.numel() == parameter.shape.DefaultIfEmpty(1).Max();
}
