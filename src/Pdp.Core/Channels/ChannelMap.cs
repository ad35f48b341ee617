using System.Text.Json.Serialization;
using Pdp.Channels.Probing;
using Pdp.Internal;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp;

/// <summary>Which channels of a model belong together, and which parameters and buffers shrink when they are removed.</summary>
/// <remarks>
/// <para>
/// The map is found by ordinary passes, without tracing the model's code. Half of the channels are set to zero at a time, and the
/// parameters whose gradients vanish with them are the ones that read them. This reveals channels that are added (residual connections),
/// passed through (depthwise and grouped convolutions) or concatenated. Each group is then cut temporarily and compared with the
/// masked model. Channels that fail this check are listed in <see cref="Unsupported"/> and stay dense.
/// </para>
/// <para>Immutable; holds no tensors.</para>
/// </remarks>
public sealed class ChannelMap
{
    [JsonConstructor]
    internal ChannelMap(
        IReadOnlyList<ChannelGroup> groups,
        IReadOnlyDictionary<string, string> unsupported,
        IReadOnlyDictionary<string, IReadOnlyList<long>> shapes)
    {
        Groups = groups;
        Unsupported = unsupported;
        Shapes = shapes;
    }

    /// <summary>The groups, in the order of the model's layers.</summary>
    public IReadOnlyList<ChannelGroup> Groups { get; }

    /// <summary>Why the channels of other convolutions and linear layers can't be removed, by the weight's name.</summary>
    public IReadOnlyDictionary<string, string> Unsupported { get; }

    /// <summary>
    /// The shapes of the model's parameters and buffers, by name. A model that the map is used with must have the same shapes.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyList<long>> Shapes { get; }

    /// <summary>The fault of a map that was read from a file; null if it has none.</summary>
    internal string? Fault =>
        Groups.FirstOrDefault(group => FaultOf(group) is not null) is { } group ? $"of '{group.Name}', {FaultOf(group)}"
        : FilterInTwoGroups is { } filter ? $"'{filter}' is in two of them"
        : null;

    private string? FilterInTwoGroups => Groups
        .SelectMany(group => group.Of(ChannelRole.Filter).Select(slice => slice.Name).Distinct())
        .CountBy(filter => filter).FirstOrDefault(filter => filter.Value > 1).Key;

    /// <summary>The map without the groups of some filters, which then stay dense.</summary>
    /// <param name="filters">Names of weights.</param>
    /// <exception cref="ArgumentException">A weight is in no group.</exception>
    public ChannelMap Without(params IEnumerable<string> filters)
    {
        ArgumentNullException.ThrowIfNull(filters);
        var excluded = filters.Select(GroupOf).ToHashSet();
        var unsupported = new SortedDictionary<string, string>(Unsupported.ToDictionary(), StringComparer.Ordinal);
        foreach (var filter in excluded.SelectMany(group => group.Of(ChannelRole.Filter)))
            unsupported[filter.Name] = "excluded by Without";
        return new([.. Groups.Except(excluded)], unsupported, Shapes);
    }

    /// <summary>The map with a group declared by hand, which replaces the groups found for its filters.</summary>
    /// <param name="group">
    /// The group; it is verified when the model is shrunk. In bfloat16 and float16 only large differences show then.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The group has no filters or fewer than two channels, is named after none of its filters, has norms carry its masks but no norms, or
    /// reaches beyond the model's parameters.
    /// </exception>
    public ChannelMap With(ChannelGroup group)
    {
        ArgumentNullException.ThrowIfNull(group);
        var filters = group.Of(ChannelRole.Filter).Select(slice => slice.Name).ToHashSet(StringComparer.Ordinal);
        if (FaultOf(group) is { } fault)
            throw new ArgumentException($"The group '{group.Name}' is not valid: {fault}.", nameof(group));

        var unsupported = Unsupported.Where(pair => !filters.Contains(pair.Key)).ToDictionary();
        var others = Groups.Where(other => !other.Of(ChannelRole.Filter).Any(slice => filters.Contains(slice.Name)));
        return new([.. others, group], unsupported, Shapes);
    }

    /// <summary>Finds the groups of a model.</summary>
    /// <param name="model">The model. Its weights, gradients, modes and buffers are restored bit for bit.</param>
    /// <param name="example">
    /// An input of the model, which provides the shape and the range of values. One image is enough, and a small one is faster.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The model has no convolution or linear layer, was created under <c>inference_mode</c>, or its output doesn't depend on any layer or
    /// has no gradient; or the example is empty; or elements of a parameter share memory; or a parameter is of type bfloat16 or
    /// float16, whose rounding hides differences: find the map in float32, it holds for all types.
    /// </exception>
    public static ChannelMap Find(Module<Tensor, Tensor> model, Tensor example)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(example);
        return Find(model, () => model.call(example));
    }

    /// <summary>Finds the groups of a model by a custom call.</summary>
    /// <param name="model">The model. Its weights, gradients, modes and buffers are restored bit for bit.</param>
    /// <param name="forward">
    /// Calls the model and returns its output, with the same input each time. It runs on another thread. If the model takes one to three
    /// tensors and is run through <c>call</c>, hooks replace these inputs by random ones and by ones of other sizes. Otherwise (it is run
    /// through <c>forward</c>, or takes other arguments), use a random, nonnegative input none of whose sizes is 1.
    /// </param>
    /// <remarks>
    /// As <paramref name="forward"/> runs on another thread, it must not wait for a lock that the caller holds. Tensors that it keeps from
    /// call to call must be detached from dispose scopes. The CPU's random generator is rewound meanwhile, so other threads shouldn't draw
    /// from it.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// The model has no convolution or linear layer, was created under <c>inference_mode</c>, or its output doesn't depend on any layer or
    /// has no gradient; or the example is empty; or elements of a parameter share memory; or a parameter is of type bfloat16 or
    /// float16, whose rounding hides differences: find the map in float32, it holds for all types.
    /// </exception>
    public static ChannelMap Find(Module model, Func<Tensor> forward)
    {
        ArgumentNullException.ThrowIfNull(forward);
        return Find(model, () => [forward()]);
    }

    /// <summary>Finds the groups of a model that has several outputs.</summary>
    /// <param name="model">The model. Its weights, gradients, modes and buffers are restored bit for bit.</param>
    /// <param name="forward">
    /// Calls the model and returns its outputs, each of which is compared on its own scale; see <see cref="Find(Module, Func{Tensor})"/>.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The model has no convolution or linear layer, was created under <c>inference_mode</c>, or its outputs don't depend on any layer or
    /// have no gradient; or the example is empty; or elements of a parameter share memory; or a parameter is of type bfloat16 or
    /// float16, whose rounding hides differences: find the map in float32, it holds for all types.
    /// </exception>
    public static ChannelMap Find(Module model, Func<IReadOnlyList<Tensor>> forward)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(forward);
        using var finder = new GroupFinder(model, forward);
        var groups = finder.Find();
        return new(groups, finder.Unsupported, finder.Shapes);
    }

    /// <summary>Why the map doesn't fit a model: another one, one that was shrunk since, or a masked buffer. Null if it fits.</summary>
    internal string? Misfit(Module model) =>
        Misfit(Groups.SelectMany(group => group.Slices), ModelShapes.Of(model), "the model") ?? MaskedBuffer(model);

    /// <summary>The name of a group that has other members in another map; null if there is none.</summary>
    internal string? GroupUnlikeIn(ChannelMap other) => Groups.FirstOrDefault(group =>
        other.Groups.Any(same => same.Name == group.Name && !same.Slices.ToHashSet().SetEquals(group.Slices)))?.Name;

    /// <summary>Checks that the groups' filters have the shapes in a count of MACs.</summary>
    /// <exception cref="ArgumentException">The count is of another model.</exception>
    internal void RequireFit(MacCount macs)
    {
        var counted = macs.Layers.DistinctBy(layer => layer.Weight)
            .ToDictionary(layer => layer.Weight, layer => layer.Shape, StringComparer.Ordinal);
        if (Misfit(Groups.SelectMany(group => group.Of(ChannelRole.Filter)), counted, "the count of MACs") is { } misfit)
            throw new ArgumentException(misfit, nameof(macs));
    }

    /// <summary>What is wrong with a group by itself, or in a model of these shapes; null if nothing is.</summary>
    private string? FaultOf(ChannelGroup group)
    {
        if (group.Fault is { } fault)
            return fault;
        return group.Slices.FirstOrDefault(slice => !slice.IsInside(Shapes.GetValueOrDefault(slice.Name), group.Channels)) switch
        {
            null => null,
            var outside when Shapes.TryGetValue(outside.Name, out var shape) =>
                $"its {group.Channels} channels reach beyond '{outside.Name}', which is {Text(shape)}",
            var outside => $"the model has no '{outside.Name}'",
        };
    }

    private string? Misfit(IEnumerable<ChannelSlice> slices, IReadOnlyDictionary<string, IReadOnlyList<long>> shapes, string subject)
    {
        foreach (var name in slices.Select(slice => slice.Name).Distinct(StringComparer.Ordinal))
        {
            var (own, other) = (Shapes.GetValueOrDefault(name), shapes.GetValueOrDefault(name));
            if (own is null || other is null || !own.SequenceEqual(other))
            {
                return $"The channel map doesn't fit {subject}: '{name}' is {Text(own)} in the map and {Text(other)} in {subject}. "
                    + "One of them belongs to another model, or was made before the model was shrunk: "
                    + "call ChannelMap.Find on the model to be pruned in its current state.";
            }
        }

        return null;
    }

    /// <summary>Says which slice is to be masked and isn't a parameter, which only a group that was declared by hand can have.</summary>
    private string? MaskedBuffer(Module model)
    {
        var parameters = model.named_parameters().Select(pair => pair.name).ToHashSet(StringComparer.Ordinal);
        return Groups.SelectMany(group => group.Slices)
            .FirstOrDefault(slice => slice.Role is ChannelRole.Filter or ChannelRole.Bias or ChannelRole.Norm
                && !parameters.Contains(slice.Name)) is { } slice
            ? $"The channel map masks '{slice.Name}' as a {slice.Role}, and it is a buffer: what follows the channels without a mask, as "
                + $"running statistics do, has the role {nameof(ChannelRole.Follower)}."
            : null;
    }

    private static string Text(IReadOnlyList<long>? shape) => shape is null ? "missing" : $"[{string.Join(", ", shape)}]";

    private ChannelGroup GroupOf(string filter) =>
        Groups.FirstOrDefault(group => group.Of(ChannelRole.Filter).Any(slice => slice.Name == filter))
        ?? throw new ArgumentException($"'{filter}' is in no group. The groups are {string.Join("; ", Groups)}.", nameof(filter));
}
