using System.Globalization;
using Pdp.Channels.Counting;
using Pdp.Internal;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp;

/// <summary>
/// The multiply-accumulates (MACs) of a model's convolutions, transposed convolutions, linear layers and attention modules.
/// </summary>
/// <remarks>
/// Immutable; holds no tensors. Norms, activations and elementwise products are not counted. Other multiplications, which the calls of
/// modules don't show, are listed in <see cref="Uncounted"/>: products of queries, keys and values in the model's own code, and weights of
/// other modules, such as recurrent ones.
/// </remarks>
/// <param name="Layers">
/// The layers, in the order of the model, then the parts of each call of a <see cref="TorchSharp.Modules.MultiheadAttention"/>: four layers
/// and two products.
/// </param>
public sealed record MacCount(IReadOnlyList<LayerMacs> Layers)
{
    /// <summary>Descriptions of the multiplications that are not in the total.</summary>
    /// <value>
    /// Empty if none were found. Attention is found by a later layer whose input changes at every position when one position changes.
    /// Not found: products whose results have no positions, such as Gram matrices, or that no later layer reads; attention from a single
    /// query, with a banded or anti-causal mask, or over fewer than 16 positions of a convolution's output; products with buffers.
    /// </value>
    public IReadOnlyList<string> Uncounted { get; init; } = [];

    /// <summary>The MACs of all layers.</summary>
    public long Total => Layers.Sum(layer => layer.Macs);

    /// <summary>Counts the MACs of one example, by running the model in evaluation mode.</summary>
    /// <param name="model">The model; its modes are restored, and nothing else changes.</param>
    /// <param name="example">
    /// <c>[batch, …]</c>: inputs of the model, of the size to count for; only the first one is run. For inputs with another dimension
    /// first, as <c>[tokens, batch, width]</c>, give the other overload a call of the model with a single example.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The model has no convolution or linear layer, or one of them runs through <c>forward</c>; or one isn't called, and the output has
    /// no gradient that would show whether it runs; or there is such a layer or an embedding, and the model or its inputs were made under
    /// <c>inference_mode</c>.
    /// </exception>
    public static MacCount Of(Module<Tensor, Tensor> model, Tensor example)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(example);
        // A copy that is made here has gradients, also of an example that was made under inference_mode.
        using var mode = inference_mode(false);
        using var input = example.detach();
        using var view = input.narrow(0, 0, 1);
        using var first = view.clone();
        return Of(model, () => model.call(first));
    }

    /// <summary>Counts the MACs of a custom call of a model.</summary>
    /// <remarks>
    /// A layer is counted each time it runs. Only <c>call</c> can be observed, since <c>forward</c> bypasses a module's hooks. A layer that
    /// is never called but affects the output is an error; for a layer that runs both ways, only its calls are counted.
    /// </remarks>
    /// <param name="model">The model; its modes are restored, and nothing else changes.</param>
    /// <param name="forward">
    /// Calls the model and returns its output. It is called several times and must return the same output each time. The MACs are those
    /// of the whole batch.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The model has no convolution or linear layer, or one of them runs through <c>forward</c>; or one isn't called, and the output has
    /// no gradient that would show whether it runs; or there is such a layer or an embedding, and the model or its inputs were made under
    /// <c>inference_mode</c>.
    /// </exception>
    public static MacCount Of(Module model, Func<Tensor> forward)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(forward);
        return MacCounter.Count(model, forward);
    }

    /// <summary>The exact MACs after channels are removed, with their filters and the inputs of later layers that read them.</summary>
    /// <remarks>
    /// Positions stay as they are, so a layer that runs once per channel, as over the last dimension of a sequence, is counted as before.
    /// </remarks>
    /// <param name="cuts">Groups of channels, each once, and how many of their channels are removed, in [0, channels).</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not in [0, channels).</exception>
    /// <exception cref="ArgumentException">A group's filters are not in the count, which belongs to another model.</exception>
    public MacCount After(IEnumerable<ChannelCut> cuts)
    {
        ChannelCut[] all = [.. Guard.NotNull(cuts, nameof(cuts))];
        RequireFit(all);
        var lost = new ChannelCuts(all);
        return this with { Layers = [.. Layers.Select(layer => layer with { Shape = lost.ShapeLeft(layer.Weight, layer.Shape) })] };
    }

    /// <summary>The total, the number of layers, and what is not counted.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Total:N0} MACs in {Layers.Count} layers")
        + (Uncounted.Count == 0 ? "" : $"; not counted: {string.Join("; ", Uncounted)}");

    /// <summary>Checks that groups belong to the model that was counted.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number of channels is not in [0, channels).</exception>
    /// <exception cref="ArgumentException">A group's filters are not in the count.</exception>
    internal void RequireFit(IEnumerable<ChannelCut> cuts)
    {
        var shapes = Layers.DistinctBy(layer => layer.Weight)
            .ToDictionary(layer => layer.Weight, layer => layer.Shape, StringComparer.Ordinal);
        foreach (var (group, removed) in cuts)
        {
            if (removed < 0 || removed >= group.Channels)
                throw Guard.Outside(nameof(cuts), removed, $"[0, {group.Channels}) for {group.Name}");
            foreach (var slice in group.Of(ChannelRole.Filter))
            {
                if (!shapes.TryGetValue(slice.Name, out var shape)
                    || shape[slice.Dimension] < slice.Offset + (slice.Block * group.Channels))
                {
                    throw new ArgumentException(
                        $"The group {group} doesn't fit the MACs, which were counted on another model: "
                        + "make both the channel map and the count from the model to be pruned.",
                        nameof(cuts));
                }
            }
        }
    }
}
