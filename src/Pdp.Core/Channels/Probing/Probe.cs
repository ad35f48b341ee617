using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>Finds by ordinary passes which layer's channels reach which slices of which parameters.</summary>
internal sealed class Probe(Module model, IReadOnlyList<ProbedLayer> layers, ProbeState state, Func<Tensor> forward)
{
    private double[]? _mixture;

    /// <summary>Where each layer's channels arrive.</summary>
    public IReadOnlyList<LayerFeed> Feeds()
    {
        var reads = layers.ToDictionary(layer => layer, _ => new List<LayerRead>());
        var grouped = layers.Where(layer => layer.ConnectionGroups > 1).ToArray();
        Look(reads, ChannelUnits.Single(layers), [.. grouped.Select(Reader.OfInputs)], grouped);
        var units = ChannelUnits.Joined(reads);
        var plain = layers.Except(grouped).ToArray();
        Look(reads, units, [.. plain.Select(Reader.OfInputs), .. Elements(isSlope: false)], []);

        // What nobody reads may scale channels that somebody does.
        var unread = plain.Where(layer => reads[layer].Count == 0 && layer.Inputs > 1).ToArray();
        Look(reads, units, [.. unread.Select(Reader.OfGates)], unread);

        // Slopes of negative numbers show only where there are any.
        state.MixSigns();
        Look(reads, units, [.. Elements(isSlope: true)], []);
        return [.. layers.Select(layer => LayerFeed.Of(layer, units[layer], reads[layer]))];
    }

    private static bool IsNorm(Module module) => module is NormBase or TorchSharp.Modules.GroupNorm or TorchSharp.Modules.LayerNorm;

    private void Look(
        Dictionary<ProbedLayer, List<LayerRead>> reads, Dictionary<ProbedLayer, long> units, IReadOnlyList<Reader> readers, IReadOnlyList<ProbedLayer> sounding)
    {
        var survey = new Survey(state, () => Mix(forward()), units, readers, sounding);
        foreach (var layer in layers)
        {
            foreach (var (r, fed) in survey.FedByOdd(layer, SourcesOf(layer, reads)).Index().Where(pair => pair.Item.Contains(true)))
                reads[layer].Add(LayerRead.Of(units[layer], readers[r], survey.Decoded[r], fed));
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
        return model.named_parameters()
            .Where(pair => pair.parameter.dim() == 1 && pair.parameter.is_floating_point() && !shifts.Contains(pair.name) && slopes.Contains(pair.name) == isSlope)
            .Select(pair => Reader.OfElements(pair.name, pair.parameter));
    }

    /// <summary>One number out of the model's output, to which every element contributes differently.</summary>
    private Tensor Mix(Tensor output)
    {
        if (_mixture?.Length != output.numel())
        {
            using var random = new Generator(1, CPU);
            _mixture = rand([output.numel()], ScalarType.Float64, CPU, generator: random).data<double>().ToArray();
        }

        return output.reshape(-1).mul(tensor(_mixture, dtype: output.dtype, device: output.device)).sum();
    }
}
