using System.Text.Json.Serialization;
using Pdp.Channels;
using Pdp.Channels.Probing;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp;

/// <summary>Which channels of a model belong together, and what goes with them when they are removed.</summary>
/// <remarks>
/// <para>
/// Found by ordinary passes, with no trace of the model's code: half of the channels are silenced at a time, and the parameters whose
/// gradients fall silent with them are those that read them. Channels that are added up (residual connections), carried on (depthwise and
/// grouped convolutions) or put side by side (concatenation) show up as such. Each group is then cut for trial and compared with the
/// masked model; what can't be proved right is listed in <see cref="Unsupported"/> and stays dense.
/// </para>
/// <para>Immutable; holds no tensors.</para>
/// </remarks>
public sealed class ChannelMap
{
    [JsonConstructor]
    internal ChannelMap(IReadOnlyList<ChannelGroup> groups, IReadOnlyDictionary<string, string> unsupported, IReadOnlyDictionary<string, IReadOnlyList<long>> shapes)
    {
        Groups = groups;
        Unsupported = unsupported;
        Shapes = shapes;
    }

    /// <summary>The groups, in the order of the model's layers.</summary>
    public IReadOnlyList<ChannelGroup> Groups { get; }

    /// <summary>Why the channels of other convolutions and linear layers can't be removed, by the weight's name.</summary>
    public IReadOnlyDictionary<string, string> Unsupported { get; }

    /// <summary>The shapes of the model's parameters and buffers, by name: those of the model that the map is used with have to be the same.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<long>> Shapes { get; }

    /// <summary>What is wrong with a map that was read; null where nothing is.</summary>
    internal string? Fault =>
        Groups.FirstOrDefault(group => group.Fault is not null) is { } group ? $"of '{group.Name}', {group.Fault}"
        : Groups.SelectMany(group => group.Of(ChannelRole.Filter)).CountBy(slice => slice.Name).FirstOrDefault(filter => filter.Value > 1).Key is { } twice ? $"'{twice}' is in two of them"
        : null;

    /// <summary>The map without the groups of some filters, which stay dense then.</summary>
    /// <param name="filters">Names of weights.</param>
    /// <exception cref="ArgumentException">A weight is in no group.</exception>
    public ChannelMap Without(params IEnumerable<string> filters)
    {
        ArgumentNullException.ThrowIfNull(filters);
        var forbidden = filters.Select(GroupOf).ToHashSet();
        var unsupported = new SortedDictionary<string, string>(Unsupported.ToDictionary(), StringComparer.Ordinal);
        foreach (var filter in forbidden.SelectMany(group => group.Of(ChannelRole.Filter)))
            unsupported[filter.Name] = "forbidden";
        return new([.. Groups.Except(forbidden)], unsupported, Shapes);
    }

    /// <summary>The map with a group declared by hand, in the place of what was found of its filters.</summary>
    /// <param name="group">The group; that it is right shows when the model is shrunk.</param>
    /// <exception cref="ArgumentException">The group has no filters or fewer than two channels, or is not inside the model's parameters.</exception>
    public ChannelMap With(ChannelGroup group)
    {
        ArgumentNullException.ThrowIfNull(group);
        var filters = group.Of(ChannelRole.Filter).Select(slice => slice.Name).ToHashSet(StringComparer.Ordinal);
        if (group.Fault is { } fault)
            throw new ArgumentException($"The group '{group.Name}' can't be: {fault}.", nameof(group));
        if (group.Slices.FirstOrDefault(slice => !slice.IsInside(Shapes.GetValueOrDefault(slice.Name), group.Channels)) is { } outside)
            throw new ArgumentException($"The group '{group.Name}' can't be: {(Shapes.TryGetValue(outside.Name, out var shape) ? $"its {group.Channels} channels reach beyond '{outside.Name}', which is [{string.Join(", ", shape)}]" : $"the model has no '{outside.Name}'")}.", nameof(group));

        var unsupported = Unsupported.Where(pair => !filters.Contains(pair.Key)).ToDictionary();
        return new([.. Groups.Where(other => !other.Of(ChannelRole.Filter).Any(slice => filters.Contains(slice.Name))), group], unsupported, Shapes);
    }

    /// <summary>Finds the groups of a model.</summary>
    /// <param name="model">The model; its weights, gradients, modes and buffers are as before afterwards, bit for bit.</param>
    /// <param name="example">An input as the model takes it, for its shape, size and range; one picture is enough, and a small one is faster.</param>
    /// <exception cref="ArgumentException">The model has no convolution or linear layer, or its output doesn't depend on any, or has no gradient.</exception>
    public static ChannelMap Find(Module<Tensor, Tensor> model, Tensor example)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(example);
        return Find(model, () => model.call(example));
    }

    /// <summary>Finds the groups of a model that is called in a way of its own.</summary>
    /// <param name="model">The model; its weights, gradients, modes and buffers are as before afterwards, bit for bit.</param>
    /// <param name="forward">
    /// Calls the model and gives its output, with the same input each time. It runs on another thread. A model of one to three tensors is also given
    /// other inputs, random ones and of other sizes, in the place of what this one gives to its <c>call</c>; where that can't be done, as
    /// <c>forward</c> is called or the model takes other things, give a random input that is not negative and whose sizes are not 1.
    /// </param>
    /// <exception cref="ArgumentException">The model has no convolution or linear layer, or its output doesn't depend on any, or has no gradient.</exception>
    public static ChannelMap Find(Module model, Func<Tensor> forward)
    {
        ArgumentNullException.ThrowIfNull(forward);
        return Find(model, () => [forward()]);
    }

    /// <summary>Finds the groups of a model of several outputs.</summary>
    /// <param name="model">The model; its weights, gradients, modes and buffers are as before afterwards, bit for bit.</param>
    /// <param name="forward">Calls the model and gives its outputs, of which each is compared in its own scale; as in <see cref="Find(Module, Func{Tensor})"/>.</param>
    /// <exception cref="ArgumentException">The model has no convolution or linear layer, or its outputs don't depend on any, or have no gradient.</exception>
    public static ChannelMap Find(Module model, Func<IReadOnlyList<Tensor>> forward)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(forward);
        using var finder = new GroupFinder(model, forward);
        var groups = finder.Find();
        return new(groups, finder.Unsupported, finder.Shapes);
    }

    /// <summary>Why the groups are not of a model as it is: it is another one, or has been shrunk since; null if they are.</summary>
    internal string? Misfit(Module model) => Misfit(Groups.SelectMany(group => group.Slices), ModelShapes.Of(model), "the model");

    /// <summary>Checks that the groups' filters have the shapes of a count.</summary>
    /// <exception cref="ArgumentException">The count is of another model.</exception>
    internal void RequireFit(MacCount macs)
    {
        var counted = macs.Layers.DistinctBy(layer => layer.Weight).ToDictionary(layer => layer.Weight, layer => layer.Shape, StringComparer.Ordinal);
        if (Misfit(Groups.SelectMany(group => group.Of(ChannelRole.Filter)), counted, "the count of MACs") is { } misfit)
            throw new ArgumentException(misfit, nameof(macs));
    }

    private string? Misfit(IEnumerable<ChannelSlice> slices, IReadOnlyDictionary<string, IReadOnlyList<long>> shapes, string subject)
    {
        foreach (var name in slices.Select(slice => slice.Name).Distinct(StringComparer.Ordinal))
        {
            var (own, other) = (Shapes.GetValueOrDefault(name), shapes.GetValueOrDefault(name));
            if (own is null || other is null || !own.SequenceEqual(other))
                return $"The channel map doesn't fit {subject}: '{name}' is {Words(own)} in the map and {Words(other)} in {subject}. One of them is of another model, or of before the model was shrunk: call ChannelMap.Find of the model to be pruned, as it is.";
        }

        return null;

        static string Words(IReadOnlyList<long>? shape) => shape is null ? "missing" : $"[{string.Join(", ", shape)}]";
    }

    private ChannelGroup GroupOf(string filter) =>
        Groups.FirstOrDefault(group => group.Of(ChannelRole.Filter).Any(slice => slice.Name == filter))
        ?? throw new ArgumentException($"'{filter}' is in no group. There are {string.Join("; ", Groups)}.", nameof(filter));
}
