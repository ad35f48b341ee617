using Pdp.Channels.Probing;
using Pdp.Internal;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels;

/// <summary>Which channels of a model belong together, and what goes with them when they are removed.</summary>
/// <remarks>
/// <para>
/// Found by ordinary passes, with no trace of the model's code: half of the channels are silenced at a time, and the parameters whose
/// gradients fall silent with them are those that read them. Channels that are added up (residual connections), carried on (depthwise and
/// grouped convolutions) or put side by side (concatenation) show up as such. Each group is then cut for trial and compared with the
/// masked model; what can't be proved right is refused by name and stays dense.
/// </para>
/// <para>Immutable; holds no tensors.</para>
/// </remarks>
public sealed class ChannelMap
{
    private ChannelMap(IReadOnlyList<ChannelGroup> groups, IReadOnlyDictionary<string, string> refused)
    {
        Groups = groups;
        Refused = refused;
    }

    /// <summary>The groups, in the order of the model's layers.</summary>
    public IReadOnlyList<ChannelGroup> Groups { get; }

    /// <summary>Why the channels of other convolutions and linear layers can't be removed, by the weight's name.</summary>
    public IReadOnlyDictionary<string, string> Refused { get; }

    /// <summary>Finds the groups of a model.</summary>
    /// <param name="model">The model; its weights, gradients, modes and buffers are as before afterwards, bit for bit.</param>
    /// <param name="example">An input as the model takes it; one picture is enough, and a small one is faster.</param>
    /// <exception cref="ArgumentException">The model has no convolution or linear layer, or its output doesn't depend on any.</exception>
    public static ChannelMap Find(Module<Tensor, Tensor> model, Tensor example)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(example);
        return Find(model, () => model.call(example));
    }

    /// <summary>Finds the groups of a model that is called in a way of its own.</summary>
    /// <param name="model">The model; its weights, gradients, modes and buffers are as before afterwards, bit for bit.</param>
    /// <param name="forward">Calls the model and gives its output; the same input each time.</param>
    /// <exception cref="ArgumentException">The model has no convolution or linear layer, or its output doesn't depend on any.</exception>
    public static ChannelMap Find(Module model, Func<Tensor> forward)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(forward);
        ProbedLayer[] layers = [.. ModelModules.Of(model).Select(pair => ProbedLayer.Of(pair.Name, pair.Module)).OfType<ProbedLayer>().DistinctBy(layer => Address.Of(layer.Weight))];
        if (layers.Length == 0)
            throw new ArgumentException($"The model '{model.GetName()}' has no convolution or linear layer: there are no channels to prune.", nameof(model));

        using var state = new ProbeState(model, layers);
        var probe = new Probe(model, layers, state, forward);
        var decoded = probe.Decode();
        var builder = new GroupBuilder(model, [.. layers.Select(layer => LayerFeed.Of(layer, probe.Readers, decoded, probe.FedBy(layer)))]);
        var candidates = builder.Build();
        state.Enliven();
        var refused = new SortedDictionary<string, string>(builder.Refused.ToDictionary(), StringComparer.Ordinal);
        var groups = new List<ChannelGroup>();
        foreach (var group in candidates)
        {
            if (TrialCut.Refusal(model, group, forward) is not { } refusal)
                groups.Add(group);
            else
                foreach (var filter in group.Of(ChannelRole.Filter))
                    refused[filter.Name] = refusal;
        }

        return new(groups, refused);
    }
}
