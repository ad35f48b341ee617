namespace Pdp.Layers;

/// <summary>Checks that what was asked for takes effect: what doesn't would be ignored without a word.</summary>
internal static class Choice
{
    /// <summary>Checks that some weight that is included is pruned.</summary>
    /// <exception cref="ArgumentException">None is.</exception>
    public static void RequireEffect(LayerMatch include, IReadOnlyList<SelectedLayer> layers)
    {
        var matched = Matched(include, layers);
        if (matched.All(layer => layer.DenseReason is not null))
            throw new ArgumentException($"{include} is included, but stays dense: {Reasons(matched)}. Take it out of Include, or what keeps it dense out of Exclude.");
    }

    /// <summary>Checks that a rule counts for some weight that is pruned, or agrees with the one that counts for its mask.</summary>
    /// <exception cref="ArgumentException">It concerns dense weights alone, or rules before it count for all that it matches.</exception>
    public static void RequireEffect(LayerRule rule, IReadOnlyList<SelectedLayer> layers)
    {
        var matched = Matched(rule.Match, layers);
        if (matched.All(layer => layer.DenseReason is not null))
            throw new ArgumentException($"The rule for {rule.Match} concerns only weights that stay dense: {Reasons(matched)}. Include them or drop the rule.");
        if (layers.Any(layer => ReferenceEquals(layer.OwnRule, rule) && Standing(layer, layers) is { DenseReason: null, Rule: { } inForce } && inForce.Agrees(rule)))
            return;

        var shadows = layers.Where(layer => layer.Rule is { } other && other != rule && rule.Match.Matches(layer.Info)).DistinctBy(layer => layer.Rule);
        throw new ArgumentException($"The rule for {rule.Match} never counts, as an earlier one does: {string.Join("; ", shadows.Select(layer => $"that for {layer.Rule!.Match} for {layer.Info.Name}"))}. Put it before, or drop it.");
    }

    /// <summary>The weights that a match means, each under the name that stands for it.</summary>
    private static SelectedLayer[] Matched(LayerMatch match, IReadOnlyList<SelectedLayer> layers) =>
        [.. layers.Where(layer => match.Matches(layer.Info)).Select(layer => Standing(layer, layers)).Distinct()];

    private static SelectedLayer Standing(SelectedLayer layer, IReadOnlyList<SelectedLayer> layers) =>
        layer.TiedTo is { } first ? layers.First(other => other.Info.Name == first) : layer;

    private static string Reasons(SelectedLayer[] layers) => string.Join("; ", layers.Select(layer => $"{layer.Info.Name}: {layer.DenseReason}"));
}
