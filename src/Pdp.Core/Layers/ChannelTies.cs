namespace Pdp.Layers;

/// <summary>Determines from the options' channel map which weights share a mask because their channels belong together.</summary>
internal sealed class ChannelTies
{
    private readonly ChannelMap? _map;
    private readonly IReadOnlyList<LayerRule> _rules;
    private readonly Func<LayerDecision, IMaskStrategy> _strategyOf;
    private readonly Dictionary<string, ChannelGroup> _groups;

    public ChannelTies(ChannelMap? map, IReadOnlyList<LayerRule> rules, Func<LayerDecision, IMaskStrategy> strategyOf)
    {
        _map = map;
        _rules = rules;
        _strategyOf = strategyOf;
        _groups = (map?.Groups ?? [])
            .SelectMany(group => group.Of(ChannelRole.Filter).Select(slice => slice.Name).Distinct().Select(name => (Name: name, group)))
            .ToDictionary(pair => pair.Name, pair => pair.group, StringComparer.Ordinal);
    }

    /// <summary>
    /// Keeps weights dense whose channels can't be removed, or that are tied to a weight that stays dense or has another strategy.
    /// </summary>
    public IReadOnlyList<LayerDecision> Refuse(IEnumerable<LayerDecision> weights)
    {
        LayerDecision[] grouped = [.. weights.Select(WithGroup)];
        return [.. grouped.Select(layer => WithTies(layer, grouped))];
    }

    /// <summary>Gives all filters of a group the first rule that any of them has, if they share a mask under it.</summary>
    public IEnumerable<LayerDecision> ShareRules(IReadOnlyList<LayerDecision> weights)
    {
        var rules = weights.Where(layer => layer.DenseReason is null && _groups.ContainsKey(layer.Info.Name))
            .GroupBy(layer => _groups[layer.Info.Name].Name)
            .ToDictionary(group => group.Key, FirstRule, StringComparer.Ordinal);
        return weights.Select(layer => layer.DenseReason is null && _groups.TryGetValue(layer.Info.Name, out var group)
            && layer with { Rule = rules[group.Name] } is var shared && GroupOf(shared) is not null ? shared : layer);
    }

    /// <summary>The group whose mask a weight shares; null if it has its own mask or stays dense.</summary>
    public ChannelGroup? GroupOf(LayerDecision layer) =>
        layer.DenseReason is null && _strategyOf(layer) is PerChannel ? _groups.GetValueOrDefault(layer.Info.Name) : null;

    /// <summary>The group of a mask under the channel strategy.</summary>
    public ChannelGroup GroupOf(string mask) => _groups[mask];

    /// <summary>The group under a mask; null where the mask is for a single weight.</summary>
    public ChannelGroup? TiedUnder(string mask, IMaskStrategy strategy) => strategy is PerChannel ? _groups.GetValueOrDefault(mask) : null;

    /// <summary>The names of everything else that is masked along with a mask's own weight.</summary>
    public IEnumerable<string> MaskedAlong(string mask, IMaskStrategy strategy) =>
        TiedUnder(mask, strategy) is { } group
            ? group.Slices.Where(slice => slice.Role is ChannelRole.Filter or ChannelRole.Bias or ChannelRole.Norm
                && slice.Name != mask).Select(slice => slice.Name).Distinct()
            : [];

    /// <summary>The weight that represents a tied set; for any other weight the weight itself.</summary>
    public string FirstOf(LayerDecision layer) => GroupOf(layer)?.Name ?? layer.Info.Name;

    /// <summary>Whether a weight represents itself or its tied set.</summary>
    public bool IsFirst(LayerDecision layer) => FirstOf(layer) == layer.Info.Name;

    private LayerRule? FirstRule(IEnumerable<LayerDecision> weights) =>
        _rules.FirstOrDefault(rule => weights.Any(layer => ReferenceEquals(layer.Rule, rule)));

    private LayerDecision WithGroup(LayerDecision layer) =>
        _map is null
            || layer.DenseReason is not null
            || _strategyOf(layer) is not PerChannel
            || _groups.ContainsKey(layer.Info.Name) ? layer
            : layer with { DenseReason = _map.Unsupported.GetValueOrDefault(layer.Info.Name) ?? "it is in none of the channel groups" };

    private LayerDecision WithTies(LayerDecision layer, IEnumerable<LayerDecision> weights)
    {
        if (GroupOf(layer) is not { } group)
            return layer;

        var tied = group.Of(ChannelRole.Filter).Select(slice => slice.Name).ToHashSet(StringComparer.Ordinal);
        var other = weights.FirstOrDefault(other => tied.Contains(other.Info.Name)
            && (other.DenseReason is not null || !_strategyOf(other).Equals(_strategyOf(layer))));
        return other is null ? layer : layer with
        { DenseReason = $"tied to {other.Info.Name}, which {(other.DenseReason is null ? "has another strategy" : "stays dense")}" };
    }
}
