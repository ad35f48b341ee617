using Pdp.Numerics;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>Everything that one mask covers: a weight, or slices of several parameters that belong to the same channels.</summary>
/// <remarks>
/// A norm divides out the mask of the filter before it. If the norms were not masked too, a channel would have the same output at m = 0.01
/// as at 1, get no gradient through its mask, and vanish all at once in the end. If every reader of the channels is behind a norm, the
/// norms alone carry the soft mask: masked filters would only change the norms' running statistics, which would then lag behind.
/// </remarks>
internal sealed class GroupSlices
{
    private readonly PdpMask _mask;

    /// <summary>A single weight with a mask of its own.</summary>
    public GroupSlices(PdpMask mask, Parameter weight)
        : this(mask, mask.Strategy is PerChannel ? [FiltersOf(mask, weight)] : [], [], isNormalized: false)
    {
        Lone = weight;
        Parameters = [weight];
    }

    /// <summary>Channels that are tied.</summary>
    /// <param name="mask">The mask, of the layout <c>[channels, weights of all filters]</c>.</param>
    /// <param name="filters">The filters, scored side by side.</param>
    /// <param name="companions">What is masked with the filters: biases, and the scales and shifts of norms.</param>
    /// <param name="isNormalized">Whether the norms alone carry the soft mask.</param>
    public GroupSlices(PdpMask mask, IReadOnlyList<SliceView> filters, IReadOnlyList<SliceView> companions, bool isNormalized)
    {
        _mask = mask;
        (Filters, Companions) = (filters, companions);
        MasksFilters = !isNormalized;
        AreBiases = [.. companions.Select(view => view.Role == ChannelRole.Bias)];
        Parameters = [.. filters.Concat(companions).Select(view => view.Parameter).Distinct()];
    }

    /// <summary>The single weight under the mask; null for channels that are tied.</summary>
    public Parameter? Lone { get; }

    /// <summary>The parameters, each once.</summary>
    public Parameter[] Parameters { get; }

    /// <summary>The filters, where channels are masked.</summary>
    public IReadOnlyList<SliceView> Filters { get; }

    /// <summary>The biases and norms that are masked with the filters.</summary>
    public IReadOnlyList<SliceView> Companions { get; }

    /// <summary>For each companion, whether it is a bias, which is masked as the filters are.</summary>
    public bool[] AreBiases { get; }

    /// <summary>Whether the filters carry the soft mask; if not, only its hard part masks them.</summary>
    public bool MasksFilters { get; }

    /// <summary>The current values: a weight as it is, slices as copies.</summary>
    public GroupValues Now() => new(Weight(), [.. Companions.Select(view => view.Read())]);

    /// <summary>The weights that make the scores, in the mask's layout: as they are, or a copy side by side.</summary>
    public Tensor Weight()
    {
        if (Lone is not null)
            return Lone.detach();

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return cat([.. Filters.Select(view => view.Read())], 1).MoveToOuterDisposeScope();
    }

    /// <summary>A copy of the values, written over an earlier copy if possible; the caller's.</summary>
    public GroupValues CopyInto(GroupValues? earlier)
    {
        using var inference = inference_mode(false);
        using var _ = no_grad();
        if (Lone is null || earlier is null)
        {
            earlier?.Release();
            var now = Now();
            return (Lone is null ? now : now.Select(values => values.clone())).Detached();
        }

        earlier.Weight.copy_(Lone);
        return earlier;
    }

    public void Write(GroupValues values)
    {
        if (Lone is not null)
            Lone.copy_(values.Weight);
        ForEachFilter(values.Weight, (view, part) => view.Write(part));
        foreach (var (view, part) in Companions.Zip(values.Along))
            view.Write(part!);
    }

    /// <summary>Writes zeros wherever a hard mask, <c>[groups, members]</c>, removes a member.</summary>
    public void WriteZeros(Tensor kept)
    {
        if (Lone is not null)
        {
            Zeros.WriteOutside(_mask.Strategy.Spread(kept, _mask.Layout), Lone);
            return;
        }

        var channels = kept.reshape(-1, 1);
        foreach (var view in Filters.Concat(Companions))
            view.Write(Zeros.Outside(channels, view.Read()));
    }

    /// <summary>
    /// Whether anything that a hard mask, <c>[groups, members]</c>, removes is not zero: a 0-dimensional bool, in the caller's scope.
    /// </summary>
    public Tensor AnyRemoved(Tensor kept)
    {
        if (Lone is not null)
            return Zeros.Outside(_mask.Strategy.Spread(kept, _mask.Layout).logical_not(), Lone.detach()).any();

        var removed = kept.reshape(-1, 1).logical_not();
        return Filters.Concat(Companions).Select(view => Zeros.Outside(removed, view.Read()).any()).Aggregate((a, b) => a.logical_or(b));
    }

    /// <summary>
    /// The gradients, with zeros for filters that have none; null if there are none. A single weight's is the parameter's own.
    /// </summary>
    public GroupValues? Gradients()
    {
        if (Lone is not null)
            return DenseGradient.Of(Lone) is { } gradient ? new(gradient, []) : null;

        foreach (var parameter in Parameters)
            DenseGradient.Of(parameter)?.Dispose();
        var companions = Companions.Select(view => view.ReadGradient()).ToArray();
        var filters = Filters.Select(view => view.ReadGradient()).ToArray();
        return filters.Concat(companions).All(gradient => gradient is null)
            ? null
            : new(cat([.. filters.Zip(Filters, (gradient, view) => gradient ?? view.Read().zero_())], 1), companions);
    }

    /// <summary>Writes those gradients that exist.</summary>
    public void WriteGradients(GroupValues values)
    {
        if (Lone is not null)
        {
            using var gradient = Lone.grad;
            gradient!.copy_(values.Weight);
            return;
        }

        ForEachFilter(values.Weight, (view, part) => view.WriteGradient(part));
        foreach (var (view, part) in Companions.Zip(values.Along))
        {
            if (part is not null)
                view.WriteGradient(part);
        }
    }

    private static SliceView FiltersOf(PdpMask mask, Parameter weight) =>
        new(weight, new(mask.Name, mask.Layout.OutputDimension, 0, 1, ChannelRole.Filter), mask.Members);

    private void ForEachFilter(Tensor sideBySide, Action<SliceView, Tensor> act)
    {
        if (Lone is not null)
            return;

        var offset = 0L;
        foreach (var view in Filters)
        {
            act(view, sideBySide.narrow(1, offset, view.Width));
            offset += view.Width;
        }
    }
}
