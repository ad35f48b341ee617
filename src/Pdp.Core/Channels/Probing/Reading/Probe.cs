using Pdp.Channels.Probing.Diagnosing;
using Pdp.Channels.Probing.Running;
using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing.Reading;

/// <summary>Finds which slices of parameters read each layer's channels, by forward and backward passes.</summary>
/// <param name="model">The model.</param>
/// <param name="layers">Its layers.</param>
/// <param name="state">The state of the model.</param>
/// <param name="positive">A pass on positive inputs.</param>
/// <param name="mixed">A pass on inputs of both signs.</param>
/// <param name="diagnose">Says why a layer's channels can't be removed; null if it sees no reason.</param>
internal sealed class Probe(
    Module model,
    IReadOnlyList<ProbedLayer> layers,
    ProbeState state,
    ProbePass positive,
    ProbePass mixed,
    Func<ProbedLayer, string?> diagnose)
{
    private readonly LayoutProposals _proposals = new(model, layers);

    /// <summary>The readers of each layer's channels.</summary>
    public LayerFeed[] Feeds()
    {
        var layouts = new Dictionary<ProbedLayer, ChannelLayout>();
        var feeds = Scan(layouts, []);
        var open = Open(feeds);
        foreach (var proposal in _proposals.All)
        {
            var proposed = feeds.Where(feed => open.Contains(feed.Layer) && !layouts.ContainsKey(feed.Layer))
                .Where(feed => proposal.Of(feed) is not null).ToDictionary(feed => feed.Layer, feed => proposal.Of(feed)!.Value);
            if (proposed.Count == 0)
                continue;

            var others = feeds.Where(feed => !proposed.ContainsKey(feed.Layer)).ToArray();
            var read = Scan(proposed.Concat(layouts).ToDictionary(), [], others)
                .Where(feed => feed.Refusal is null && proposed.ContainsKey(feed.Layer)).ToArray();
            foreach (var layer in PassingThrough(read.Where(proposal.IsNeeded).Select(feed => feed.Layer), read))
                layouts[layer] = proposed[layer];
        }

        return [.. WithoutMixed(layouts.Count == 0 ? feeds : Scan(layouts, []), layouts).Select(_proposals.WithNorm)];
    }

    /// <summary>Some layers, and those whose channels pass through them if they are grouped convolutions.</summary>
    private static HashSet<ProbedLayer> PassingThrough(IEnumerable<ProbedLayer> layers, LayerFeed[] feeds)
    {
        HashSet<ProbedLayer> all = [.. layers];
        while (feeds.Any(feed => feed.Reads.Any(read => read.Reader.Layer is { ConnectionGroups: > 1 } reader && all.Contains(reader))
            && all.Add(feed.Layer)))
        {
        }

        return all;
    }

    /// <summary>Layers whose channels are seen to be mixed before they are read, and those whose channels pass through them.</summary>
    private HashSet<ProbedLayer> Open(LayerFeed[] feeds) => PassingThrough(feeds.Where(IsMixed).Select(feed => feed.Layer), feeds);

    private bool IsMixed(LayerFeed feed) => feed is { Units: > 1, Uncuttable: null } && !_proposals.AreReadOneByOne(feed)
        && diagnose(feed.Layer) is { } reason && reason != Diagnosis.Outputs;

    /// <summary>
    /// Scans once more while layers whose channels are mixed stay active: half of them at zero may silence all that follows, so that
    /// other layers seemed mixed too.
    /// </summary>
    private LayerFeed[] WithoutMixed(LayerFeed[] feeds, Dictionary<ProbedLayer, ChannelLayout> layouts)
    {
        if (feeds.All(feed => feed.Unordered is null || IsMixed(feed)))
            return feeds;

        var mixed = feeds.Where(IsMixed).ToDictionary(feed => feed.Layer);
        return [.. Scan(layouts, [.. mixed.Keys]).Select(feed => mixed.GetValueOrDefault(feed.Layer, feed))];
    }

    /// <summary>The readers of each layer's channels in units of given layouts.</summary>
    /// <param name="given">The layouts.</param>
    /// <param name="active">Layers that stay active.</param>
    /// <param name="known">What some layers feed, which isn't looked for again.</param>
    private LayerFeed[] Scan(
        Dictionary<ProbedLayer, ChannelLayout> given, ProbedLayer[] active, params IReadOnlyList<LayerFeed> known)
    {
        state.Reset();
        var reads = layers.ToDictionary(layer => layer, _ => new List<LayerRead>());
        foreach (var feed in known)
            reads[feed.Layer].AddRange(feed.Reads.Where(read => read.Reader is { Kind: ReaderKind.Inputs, Layer.ConnectionGroups: > 1 }));
        ProbedLayer[] asked = [.. layers.Except(known.Select(feed => feed.Layer))];
        var grouped = layers.Where(layer => layer.ConnectionGroups > 1).ToArray();
        Look(positive, reads, ChannelUnits.Single(layers, given), [.. grouped.Select(Reader.OfInputs)], [.. grouped, .. active],
            asked);
        var layouts = ChannelUnits.Joined(reads, given);
        foreach (var feed in known)
            reads[feed.Layer] = [.. feed.Reads];
        var plain = layers.Except(grouped).ToArray();
        var scan = Look(positive, reads, layouts, [.. plain.Select(Reader.OfInputs), .. Elements(isSlope: false), .. OtherMatrices()],
            active, asked);
        positive.Together(() => LookForFactors(reads, layouts, scan, asked));

        // Channels without readers may scale other channels that have some.
        var unread = plain.Except(active).Intersect(asked).Where(layer => reads[layer].Count == 0 && layer.Inputs > 1).ToArray();
        Look(positive, reads, layouts, [.. unread.Select(Reader.OfGates)], [.. unread, .. active], asked);

        // The slopes of PReLU get gradients only from negative inputs.
        state.MixSigns();
        Look(mixed, reads, layouts, [.. Elements(isSlope: true)], active, asked);
        return [.. layers.Select(layer => new LayerFeed(layer, layouts[layer], reads[layer]))];
    }

    private static bool IsNorm(Module module) => module is NormBase or TorchSharp.Modules.GroupNorm or TorchSharp.Modules.LayerNorm;

    private ReaderScan Look(
        ProbePass pass,
        Dictionary<ProbedLayer, List<LayerRead>> reads,
        Dictionary<ProbedLayer, ChannelLayout> layouts,
        IReadOnlyList<Reader> readers,
        IReadOnlyList<ProbedLayer> active,
        IReadOnlyList<ProbedLayer> asked) => pass.Together(() =>
    {
        var scan = new ReaderScan(state, pass, layouts, readers, active);
        foreach (var layer in asked)
            Add(reads[layer], layouts[layer], scan, scan.FedByOdd(layer, SourcesOf(layer, reads)));
        return scan;
    });

    /// <summary>
    /// Finds the readers of channels that are multiplied by others: they vanish with the others, and show only while the others are
    /// nonzero. What is added to the product, as in feature-wise modulation, is found before, and stays zero here.
    /// </summary>
    private void LookForFactors(
        Dictionary<ProbedLayer, List<LayerRead>> reads,
        Dictionary<ProbedLayer, ChannelLayout> layouts,
        ReaderScan scan,
        IReadOnlyList<ProbedLayer> asked)
    {
        var found = layers.Where(layer => reads[layer].Any(read => read.Reader.Kind == ReaderKind.Inputs)).ToHashSet();
        foreach (var layer in asked.Where(layer => layouts[layer].Units > 1 && !found.Contains(layer)))
            Add(reads[layer], layouts[layer], scan, scan.ZeroedByOdd(layer, found));
    }

    private static void Add(List<LayerRead> reads, ChannelLayout layout, ReaderScan scan, bool[][] fedByOdd)
    {
        foreach (var (r, fed) in fedByOdd.Index().Where(pair => pair.Item.Contains(true)))
        {
            var read = LayerRead.Of(layout.Units, scan.Readers[r], scan.Decoded[r], fed);
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
