using System.Globalization;
using Pdp.Channels;
using Pdp.Internal;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp;

/// <summary>The multiply-accumulates (MACs) of a model's convolutions, transposed convolutions, linear layers and attention modules.</summary>
/// <remarks>
/// Immutable; holds no tensors. Norms, activations and products element by element do not count. What else multiplies and can't be seen from the
/// calls of modules is listed as <see cref="Uncounted"/>: products of queries, keys and values in code of the model's own, and weights of
/// other modules, such as recurrent ones.
/// </remarks>
/// <param name="Layers">
/// The layers, in the order of the model, then the parts of each call of a <see cref="TorchSharp.Modules.MultiheadAttention"/>: its four layers and its two products.
/// </param>
public sealed record MacCount(IReadOnlyList<LayerMacs> Layers)
{
    /// <summary>What multiplies too but is not in the total, in words.</summary>
    /// <value>
    /// Empty where nothing of the kind was found. Attention shows by a layer behind it whose input changes at all places with one; products
    /// whose results have no places, such as Gram matrices, do not show.
    /// </value>
    public IReadOnlyList<string> Uncounted { get; init; } = [];

    /// <summary>The MACs of all layers.</summary>
    public long Total => Layers.Sum(layer => layer.Macs);

    /// <summary>Counts the MACs for one example, by a real pass in evaluation mode.</summary>
    /// <param name="model">The model; its modes are as before afterwards, and nothing else is touched.</param>
    /// <param name="example"><c>[batch, …]</c>: inputs as the model takes them, of the size that is to be counted for; only the first one is run.</param>
    /// <exception cref="ArgumentException">The model has no convolution or linear layer, or one of them is run by <c>forward</c>.</exception>
    public static MacCount Of(Module<Tensor, Tensor> model, Tensor example)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(example);
        using var input = example.detach();
        using var first = input.narrow(0, 0, 1);
        return Of(model, () => model.call(first));
    }

    /// <summary>Counts the MACs of a pass through a model that is called in a way of its own.</summary>
    /// <remarks>
    /// Layers are counted when they run, as often as they do. Only <c>call</c> can be watched, as <c>forward</c> goes past a module's hooks: a
    /// layer that is never called but reaches the output is an error; one that is run both ways counts too little.
    /// </remarks>
    /// <param name="model">The model; its modes are as before afterwards, and nothing else is touched.</param>
    /// <param name="forward">Calls the model and gives its output, the same in each of several calls; with a batch of one the MACs are those of one example, else those of the batch.</param>
    /// <exception cref="ArgumentException">The model has no convolution or linear layer, or one of them is run by <c>forward</c>.</exception>
    public static MacCount Of(Module model, Func<Tensor> forward)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(forward);
        return MacCounter.Count(model, forward);
    }

    /// <summary>The MACs that are left when channels are cut out, exactly: their filters go, and what the layers behind read of them.</summary>
    /// <remarks>Layers keep their positions: one that runs once for each channel, as over the last dimension of a sequence, counts as before.</remarks>
    /// <param name="cuts">Groups of channels, each once, and how many channels go, in [0, channels); it doesn't matter which.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not in [0, channels).</exception>
    /// <exception cref="ArgumentException">A group's filters are not in the count: it is of another model.</exception>
    public MacCount After(IEnumerable<ChannelCut> cuts)
    {
        ChannelCut[] all = [.. Guard.NotNull(cuts, nameof(cuts))];
        RequireFit(all);
        var lost = new ChannelCuts(all);
        return this with { Layers = [.. Layers.Select(layer => layer with { Shape = lost.ShapeLeft(layer.Weight, layer.Shape) })] };
    }

    /// <summary>The total, the number of layers, and what is not counted.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Total:N0} MACs in {Layers.Count} layers{(Uncounted.Count == 0 ? "" : $"; not counted: {string.Join("; ", Uncounted)}")}");

    /// <summary>Checks that groups are of the model that was counted.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number of channels is not in [0, channels).</exception>
    /// <exception cref="ArgumentException">A group's filters are not in the count.</exception>
    internal void RequireFit(IEnumerable<ChannelCut> cuts)
    {
        var shapes = Layers.DistinctBy(layer => layer.Weight).ToDictionary(layer => layer.Weight, layer => layer.Shape, StringComparer.Ordinal);
        foreach (var (group, removed) in cuts)
        {
            if (removed < 0 || removed >= group.Channels)
                throw Guard.Outside(nameof(cuts), removed, $"[0, {group.Channels}) for {group.Name}");
            foreach (var slice in group.Of(ChannelRole.Filter))
            {
                if (!shapes.TryGetValue(slice.Name, out var shape) || shape[slice.Dimension] < slice.Offset + (slice.Block * group.Channels))
                    throw new ArgumentException($"The group {group} doesn't fit the MACs, which were counted on another model: make both the channel map and the count of the model to be pruned.", nameof(cuts));
            }
        }
    }
}
