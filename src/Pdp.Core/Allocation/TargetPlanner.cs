using System.Globalization;
using Pdp.Masking;
using static TorchSharp.torch;

namespace Pdp.Allocation;

/// <summary>Turns the options' sparsity into the exact number of members that each mask finally removes.</summary>
internal sealed class TargetPlanner
{
    private const double Rounding = 1e-9;

    private readonly SparsityGoal _goal;
    private readonly IReadOnlyList<PrunedLayer> _layers;
    private readonly LayerLimits[] _limits;

    /// <summary>Makes the planner and checks that the target can be met.</summary>
    /// <exception cref="ArgumentException">The target can't be met exactly.</exception>
    public TargetPlanner(SparsityGoal goal, IReadOnlyList<PrunedLayer> layers)
    {
        _goal = goal;
        _layers = layers;
        _limits = [.. layers.Select(layer => LayerLimits.Of(layer.Mask, layer.Rule, goal))];
        RequireSomethingToDivide();
        RequireBudgeted();
        foreach (var layer in layers)
            RequireBoundsToHold(layer);
        Plan();
    }

    /// <summary>Whether the targets follow from the options and the shapes alone, and hence not from when pruning begins.</summary>
    public bool IsByShape => IsFixed || _goal.Allocation is UniformSparsity or ErdosRenyiKernel or SparsityTable;

    /// <summary>What the target of each layer may be.</summary>
    public IReadOnlyList<LayerLimits> Limits => _limits;

    /// <summary>The weights that the allocation has to remove, before rounding to channels; null where no sparsity is asked for.</summary>
    public long? Open => _goal.Sparsity is { } sparsity ? Asked(sparsity) - Settled : null;

    /// <summary>The number of weights in all layers.</summary>
    private long Prunable => _limits.Sum(limits => limits.Mask.Layout.Elements);

    /// <summary>The number of weights that strategies and rules remove, before alignment.</summary>
    private long Settled => _limits.Sum(limits => (limits.Fixed ?? 0) * limits.Mask.WeightsPerRank);

    /// <summary>Whether strategies and rules fix the sparsity of every layer.</summary>
    private bool IsFixed => _limits.All(limits => limits.Fixed is not null);

    /// <summary>The number of members removed from each group of each layer, by the current weights.</summary>
    /// <exception cref="InvalidOperationException">A weight is not finite, or the allocation breaks its contract.</exception>
    public long[] Plan()
    {
        foreach (var layer in _layers)
            layer.Group.RequireFinite();
        return PlanOf();
    }

    /// <summary>The targets that follow from the goal and the shapes alone; null where they depend on the weights.</summary>
    public long?[] Certain() => IsByShape ? [.. PlanOf()] : [.. _limits.Select(limits => limits.FixedTarget)];

    private long[] PlanOf()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var targets = _limits.Select(limits => limits.Fixed).ToArray();
        var free = Enumerable.Range(0, targets.Length).Where(i => targets[i] is null).ToArray();
        var candidates = free.Select(i => CandidateOf(_layers[i], _limits[i])).ToArray();
        var remove = ToRemove(candidates);
        if (free.Length > 0)
        {
            var counts = _goal.Allocation.Allocate(candidates, remove);
            RequireContract(candidates, [.. free.Select(i => _limits[i])], counts, remove);
            foreach (var (i, members) in free.Zip(WholeMembers([.. free.Select(i => _layers[i].Mask)], counts)))
                targets[i] = members;
        }

        return ChannelRounding.Of(_limits, [.. targets.Select(target => target!.Value)]);
    }

    /// <summary>Bounds guide the allocation; if a strategy or a rule fixed the sparsity, they would be ignored.</summary>
    private void RequireBoundsToHold(PrunedLayer layer)
    {
        var (mask, rule) = (layer.Mask, layer.Rule);
        if ((mask.Strategy.FixedSparsity ?? rule?.Sparsity) is not { } share)
            return;

        // The options' bounds apply to the options' strategy, which a rule may override.
        var isRuled = rule?.Strategy is not null || rule?.Sparsity is not null;
        var minimum = rule?.MinimumSparsity ?? (isRuled ? 0 : _goal.Minimum);
        var maximum = rule?.MaximumSparsity ?? (isRuled ? 1 : _goal.Maximum);
        if (share < minimum - Rounding || share > maximum + Rounding)
            throw new ArgumentException(
                $"'{mask.Name}' has a fixed sparsity of {Text(share)}, by "
                + $"{(mask.Strategy.FixedSparsity is null ? $"the rule for {rule!.Match}" : mask.Strategy.Name)}, but its minimum and "
                + $"maximum are {Text(minimum)} and {Text(maximum)}: leave them unset.");
    }

    /// <summary>A table or a budget would be ignored where there is nothing left to divide.</summary>
    private void RequireSomethingToDivide()
    {
        if (IsFixed && (_goal.Allocation is SparsityTable or MacBudget))
            throw new ArgumentException(
                $"{_goal.Allocation.GetType().Name} has nothing to divide, as strategies and rules fix the sparsity of every layer: leave "
                + "PdpOptions.Allocation unset.");
    }

    /// <summary>A budget of MACs would not account for channels that a rule removes.</summary>
    private void RequireBudgeted()
    {
        if (_goal.Allocation is MacBudget
            && _layers.FirstOrDefault(layer => layer.Mask.Strategy is Pdp.PerChannel && layer.Rule?.Sparsity is not null) is { } fixedLayer)
            throw new ArgumentException(
                $"The rule for {fixedLayer.Rule!.Match} fixes the sparsity of '{fixedLayer.Mask.Name}', but a budget of MACs decides how "
                + "many channels are removed: set the rule's MinimumSparsity and MaximumSparsity instead.");
    }

    private static AllocationLayer CandidateOf(PrunedLayer layer, LayerLimits limits)
    {
        var mask = layer.Mask;
        var (minimum, maximum) = (mask.WeightsPerRank * limits.Least, mask.WeightsPerRank * limits.Most);
        return minimum <= maximum
            ? new()
            {
                Name = mask.Name,
                Layout = mask.Layout,
                Weight = Competing(layer),
                Minimum = minimum,
                Maximum = maximum,
                RoundTo = limits.RoundTo
            }
            : throw new ArgumentException(
                $"'{mask.Name}' has to lose at least {minimum} of its {mask.Layout.Elements} weights but may lose at most {maximum}: lower "
                + "its minimum sparsity or raise its maximum.");
    }

    /// <summary>The weight, or where it doesn't compete by itself alone the magnitude that each weight competes with.</summary>
    private static Tensor Competing(PrunedLayer layer)
    {
        var (mask, value) = (layer.Mask, layer.Group.Value());
        return mask is { WeightsPerRank: 1, Importance: null }
            ? value
            : mask.Strategy.Spread(layer.Group.Magnitude(), mask.Layout).expand_as(value).contiguous();
    }

    /// <summary>
    /// Turns counts of weights into whole members: rounds down, then up where the most is missing, until the total is met as nearly as
    /// possible.
    /// </summary>
    private static long[] WholeMembers(PdpMask[] masks, IReadOnlyList<long> counts)
    {
        var members = masks.Zip(counts, (mask, count) => count / mask.WeightsPerRank).ToArray();
        var missing = counts.Sum() - masks.Zip(members, (mask, count) => count * mask.WeightsPerRank).Sum();
        foreach (var i in Enumerable.Range(0, masks.Length)
            .Where(i => counts[i] % masks[i].WeightsPerRank > 0)
            .OrderByDescending(i => counts[i] % masks[i].WeightsPerRank / (double)masks[i].WeightsPerRank))
        {
            if (masks[i].WeightsPerRank > 2 * missing)
                continue;
            members[i]++;
            missing -= masks[i].WeightsPerRank;
        }

        return members;
    }

    /// <summary>Checks the counts, which are what is finally committed: a user's own allocation may be wrong.</summary>
    private void RequireContract(AllocationLayer[] candidates, LayerLimits[] limits, IReadOnlyList<long> counts, long remove)
    {
        var name = _goal.Allocation.GetType().Name;
        if (counts?.Count != candidates.Length || counts.Sum() != remove)
            throw new InvalidOperationException(
                $"{name}.Allocate was asked to remove {remove} weights from {candidates.Length} layers and gave "
                + $"{(counts is null ? "null" : $"{counts.Count} counts that remove {counts.Sum()}")}: it must give one count per layer, "
                + "and they must add up to the total.");

        foreach (var (layer, limit, count) in candidates.Zip(limits, counts))
        {
            // Rounding may have taken some below the minimum.
            if (count < limit.Aligned(limit.Least) * limit.Mask.WeightsPerRank || count > layer.Maximum)
                throw new InvalidOperationException(
                    $"{name}.Allocate removes {count} weights from '{layer.Name}', whose bounds are {layer.Minimum} to {layer.Maximum}: it "
                    + "must respect them.");
        }
    }

    /// <summary>The number of weights left to be removed from the layers that the allocation decides about.</summary>
    private long ToRemove(AllocationLayer[] candidates)
    {
        var (prunable, settled) = (Prunable, Settled);
        var share = candidates.Length == 0 ? null : _goal.Allocation.FixedSparsity(candidates);
        var byAllocation = share is { } fraction ? Round(fraction * candidates.Sum(layer => layer.Layout.Elements)) : (long?)null;
        var total = _goal.Sparsity is { } sparsity ? Asked(sparsity) : (long?)null;

        if (total is null && byAllocation is null && candidates.Length > 0)
            throw new ArgumentException(
                "Sparsity is not set, and nothing else decides how much to remove from "
                + $"{string.Join(", ", candidates.Select(layer => layer.Name))}: set PdpOptions.Sparsity.");
        var remove = candidates.Length == 0 ? 0 : byAllocation ?? total!.Value - settled;
        if (total is { } asked && asked != settled + remove)
            throw new ArgumentException(
                $"Sparsity {Text(_goal.Sparsity!.Value)} asks for {asked} of {prunable} weights to be removed, but strategies, rules "
                + $"and tables fix {settled + remove}: leave Sparsity unset.");
        RequireReachable(candidates, remove, settled, prunable);
        return remove;
    }

    private static void RequireReachable(AllocationLayer[] candidates, long remove, long settled, long prunable)
    {
        var least = candidates.Sum(layer => layer.Minimum);
        var most = candidates.Sum(layer => layer.Maximum);
        if (remove >= least && remove <= most)
            return;

        var range = string.Create(CultureInfo.InvariantCulture,
            $"[{(least + settled) / (double)prunable:R}, {(most + settled) / (double)prunable:R}]");
        throw new ArgumentException(
            $"The target of {remove + settled} of {prunable} weights can't be met: the minimum and maximum sparsity per layer, the layers "
            + $"that are fixed and the one weight that each layer keeps allow {least + settled} to {most + settled}. Choose a sparsity in "
            + $"{range} or widen the bounds.");
    }

    private long Asked(double sparsity) => Round(sparsity * Prunable);

    private static long Round(double count) => (long)Math.Round(count, MidpointRounding.AwayFromZero);

    private static string Text(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);
}
