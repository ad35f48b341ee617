using System.Globalization;
using Pdp.Allocation;
using Pdp.Selection;

namespace Pdp;

/// <summary>Turns the options' sparsity into the exact number of members that each mask removes in the end.</summary>
internal sealed class TargetPlanner
{
    private readonly PdpOptions _options;
    private readonly IReadOnlyList<PrunedLayer> _layers;

    /// <summary>Makes the planner and checks that the target can be met.</summary>
    /// <exception cref="ArgumentException">The target can't be met exactly.</exception>
    public TargetPlanner(PdpOptions options, IReadOnlyList<PrunedLayer> layers)
    {
        _options = options;
        _layers = layers;
        Plan();
    }

    /// <summary>Whether the counts depend on the weights, and so on the time at which pruning begins.</summary>
    public bool NeedsWeights => _layers.Any(layer => FixedTarget(layer.Mask, layer.Rule) is null);

    /// <summary>The members removed in each group of each layer, by the weights of now.</summary>
    /// <exception cref="InvalidOperationException">A weight is not finite.</exception>
    public long[] Plan()
    {
        foreach (var layer in _layers)
            layer.Weight.RequireFinite();
        var targets = _layers.Select(layer => FixedTarget(layer.Mask, layer.Rule)).ToArray();
        var free = Enumerable.Range(0, targets.Length).Where(i => targets[i] is null).ToArray();
        var candidates = free.Select(i => CandidateOf(_layers[i])).ToArray();
        var remove = ToRemove(targets, candidates);
        if (free.Length > 0)
        {
            var counts = _options.Allocation.Allocate(candidates, remove);
            foreach (var (i, count) in free.Zip(counts))
                targets[i] = count / _layers[i].Mask.WeightsPerRank;
        }

        return [.. targets.Select(target => target!.Value)];
    }

    /// <summary>What the strategy or a rule fixes; null where the allocation decides.</summary>
    private static long? FixedTarget(PdpMask mask, LayerRule? rule)
    {
        if (mask.Strategy.FixedSparsity is { } pattern)
        {
            return rule?.Sparsity is null
                ? Masks.Counts.Floor(mask.Members, pattern)
                : throw new ArgumentException($"The rule for {rule.Match} asks for sparsity {Text(rule.Sparsity.Value)} of '{mask.Name}', but {mask.Strategy.Name} removes exactly {Text(pattern)}: leave the rule's sparsity unset.");
        }

        return rule?.Sparsity is { } sparsity ? Math.Min(Masks.Counts.Floor(mask.Members, sparsity), mask.Members - 1) : null;
    }

    private AllocationLayer CandidateOf(PrunedLayer layer)
    {
        var (mask, rule) = (layer.Mask, layer.Rule);
        var elements = mask.Layout.Elements;
        var most = elements - mask.WeightsPerRank;
        var minimum = (long)Math.Ceiling((elements * (rule?.MinimumSparsity ?? _options.MinimumLayerSparsity)) - 1e-9);
        var maximum = Math.Min(Masks.Counts.Floor(elements, rule?.MaximumSparsity ?? _options.MaximumLayerSparsity), most);
        return minimum <= maximum
            ? new(mask.Name, mask.Layout, layer.Weight.Parameter, minimum, maximum)
            : throw new ArgumentException($"'{mask.Name}' has to lose at least {minimum} of its {elements} weights but may lose at most {maximum}: lower its minimum sparsity or raise its maximum.");
    }

    /// <summary>What is left to be removed from the layers that the allocation decides about.</summary>
    private long ToRemove(long?[] targets, AllocationLayer[] candidates)
    {
        var masks = _layers.Select(layer => layer.Mask).ToArray();
        var prunable = masks.Sum(mask => mask.Layout.Elements);
        var settled = masks.Zip(targets, (mask, target) => (target ?? 0) * mask.WeightsPerRank).Sum();
        var share = candidates.Length == 0 ? null : _options.Allocation.FixedSparsity(candidates);
        var byAllocation = share is { } fraction ? Round(fraction * candidates.Sum(layer => layer.Layout.Elements)) : (long?)null;
        var total = _options.Sparsity is { } sparsity ? Round(sparsity * prunable) : (long?)null;

        if (total is null && byAllocation is null && candidates.Length > 0)
            throw new ArgumentException($"Sparsity is not set, and nothing else decides how much to remove from {string.Join(", ", candidates.Select(layer => layer.Name))}: set PdpOptions.Sparsity.");
        var remove = candidates.Length == 0 ? 0 : byAllocation ?? total!.Value - settled;
        if (total is { } asked && asked != settled + remove)
            throw new ArgumentException($"Sparsity {Text(_options.Sparsity!.Value)} asks for {asked} of {prunable} weights to be removed, but strategies, rules and tables fix {settled + remove}: leave Sparsity unset.");
        RequireReachable(candidates, remove, settled, prunable);
        return remove;
    }

    private static void RequireReachable(AllocationLayer[] candidates, long remove, long settled, long prunable)
    {
        var least = candidates.Sum(layer => layer.Minimum);
        var most = candidates.Sum(layer => layer.Maximum);
        if (remove >= least && remove <= most)
            return;

        var range = string.Create(CultureInfo.InvariantCulture, $"[{(least + settled) / (double)prunable:R}, {(most + settled) / (double)prunable:R}]");
        throw new ArgumentException($"The target of {remove + settled} of {prunable} weights can't be met: the minimum and maximum sparsity per layer, the layers that are fixed and the one weight that each layer keeps allow {least + settled} to {most + settled}. Choose a sparsity in {range} or widen the bounds.");
    }

    private static long Round(double count) => (long)Math.Round(count, MidpointRounding.AwayFromZero);

    private static string Text(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);
}
