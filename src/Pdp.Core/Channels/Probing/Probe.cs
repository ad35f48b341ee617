using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>Finds by ordinary passes which layer's channels reach which slices of which parameters.</summary>
/// <param name="model">The model.</param>
/// <param name="layers">Its layers.</param>
/// <param name="state">The state that it is in.</param>
/// <param name="positive">A pass on positive inputs.</param>
/// <param name="mixed">A pass on inputs of both signs.</param>
internal sealed class Probe(Module model, IReadOnlyList<ProbedLayer> layers, ProbeState state, ProbePass positive, ProbePass mixed)
{
    private readonly Dictionary<ProbedLayer, string> _hints = [];

    /// <summary>Where each layer's channels arrive.</summary>
    public IReadOnlyList<LayerFeed> Feeds()
    {
        var reads = layers.ToDictionary(layer => layer, _ => new List<LayerRead>());
        var grouped = layers.Where(layer => layer.ConnectionGroups > 1).ToArray();
        Look(positive, reads, ChannelUnits.Single(layers), [.. grouped.Select(Reader.OfInputs)], grouped);
        var units = ChannelUnits.Joined(reads);
        var plain = layers.Except(grouped).ToArray();
        var survey = Look(positive, reads, units, [.. plain.Select(Reader.OfInputs), .. Elements(isSlope: false), .. Bare()], []);
        LookForFactors(reads, units, survey);

        // What nobody reads may scale channels that somebody does.
        var unread = plain.Where(layer => reads[layer].Count == 0 && layer.Inputs > 1).ToArray();
        Look(positive, reads, units, [.. unread.Select(Reader.OfGates)], unread);

        // Slopes of negative numbers show only where there are any.
        state.MixSigns();
        Look(mixed, reads, units, [.. Elements(isSlope: true)], []);
        return [.. layers.Select(layer => LayerFeed.Of(layer, units[layer], reads[layer], _hints.GetValueOrDefault(layer)))];
    }

    private static bool IsNorm(Module module) => module is NormBase or TorchSharp.Modules.GroupNorm or TorchSharp.Modules.LayerNorm;

    private Survey Look(
        ProbePass pass, Dictionary<ProbedLayer, List<LayerRead>> reads, Dictionary<ProbedLayer, long> units, IReadOnlyList<Reader> readers, IReadOnlyList<ProbedLayer> sounding)
    {
        var survey = new Survey(state, pass, units, readers, sounding);
        foreach (var layer in layers)
            Add(reads[layer], units[layer], survey, survey.FedByOdd(layer, SourcesOf(layer, reads)));
        return survey;
    }

    /// <summary>Channels that are multiplied by others are silent while those are, and show only where those sound.</summary>
    private void LookForFactors(Dictionary<ProbedLayer, List<LayerRead>> reads, Dictionary<ProbedLayer, long> units, Survey survey)
    {
        foreach (var layer in layers.Where(layer => units[layer] > 1 && !reads[layer].Any(read => read.Reader.Kind == ReaderKind.Inputs)))
        {
            Add(reads[layer], units[layer], survey, survey.SilencedByOdd(layer));
            if (reads[layer].Count == 0 && survey.Disturbed(layer, layers.SkipWhile(other => other != layer).Skip(1).ToHashSet()) is { } reader)
                _hints[layer] = $"{reader.Name} sees its channels where a silent one isn't zero: behind a norm over channels, a sigmoid, softplus, exp or the like, or with something added";
        }
    }

    private static void Add(List<LayerRead> reads, long units, Survey survey, bool[][] fedByOdd)
    {
        foreach (var (r, fed) in fedByOdd.Index().Where(pair => pair.Item.Contains(true)))
        {
            var read = LayerRead.Of(units, survey.Readers[r], survey.Decoded[r], fed);
            if (!reads.Any(read.Overlaps))
                reads.Add(read);
        }
    }

    /// <summary>The layers whose channels a grouped convolution carries on, directly and through other grouped convolutions.</summary>
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

    /// <summary>Vectors that scale channels; a norm's shift goes with its scale.</summary>
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

    /// <summary>Parameters of two dimensions and more that are no layer's: matrices of the model's own, recurrent layers, tables.</summary>
    private IEnumerable<Reader> Bare() => Free()
        .Where(pair => !IsVector(pair.Parameter))
        .SelectMany(pair => Enumerable.Range(0, (int)pair.Parameter.dim()).Where(dimension => pair.Parameter.shape[dimension] > 1).Select(dimension => Reader.OfBare(pair.Name, pair.Parameter, dimension)));

    private IEnumerable<(string Name, Parameter Parameter)> Free()
    {
        var taken = layers.Select(layer => TensorAddress.OfNative(layer.Weight)).ToHashSet();
        return model.named_parameters()
            .Where(pair => pair.parameter.is_floating_point() && pair.parameter.numel() > 1 && !taken.Contains(TensorAddress.OfNative(pair.parameter)))
            .Select(pair => (pair.name, pair.parameter));
    }

    private static bool IsVector(Parameter parameter) => parameter.numel() == parameter.shape.DefaultIfEmpty(1).Max();
}
