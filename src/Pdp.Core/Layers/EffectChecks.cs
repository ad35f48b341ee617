namespace Pdp.Layers;

/// <summary>Checks that includes and rules take effect, as otherwise they would be silently ignored.</summary>
internal static class EffectChecks
{
    /// <summary>Checks that an include leads to at least one pruned weight.</summary>
    /// <exception cref="ArgumentException">All weights that it matches stay dense.</exception>
    public static void Require(LayerMatch include, IReadOnlyList<LayerDecision> layers)
    {
        var matched = Matched(include, layers);
        if (matched.All(layer => layer.DenseReason is not null))
            throw new ArgumentException(
                $"{include} is included, but stays dense: {Reasons(matched)}. Remove it from Include, or remove what keeps it dense from "
                + "Exclude.");
    }

    /// <summary>Checks that a rule applies to some pruned weight, or has the same settings as the one that does.</summary>
    /// <exception cref="ArgumentException">It matches only dense weights, or earlier rules apply to everything that it matches.</exception>
    public static void Require(LayerRule rule, IReadOnlyList<LayerDecision> layers)
    {
        var matched = Matched(rule.Match, layers);
        if (matched.All(layer => layer.DenseReason is not null))
            throw new ArgumentException(
                $"The rule for {rule.Match} matches only weights that stay dense: {Reasons(matched)}. Include them or drop the rule.");
        if (layers.Any(layer => ReferenceEquals(layer.OwnRule, rule)
            && Standing(layer, layers) is { DenseReason: null, Rule: { } inForce }
            && inForce.Agrees(rule)))
            return;

        var shadows = layers.Where(layer => layer.Rule is { } other && other != rule && rule.Match.Matches(layer.Info))
            .DistinctBy(layer => layer.Rule);
        throw new ArgumentException(
            $"The rule for {rule.Match} never applies, as an earlier one does: "
            + $"{string.Join("; ", shadows.Select(layer => $"that for {layer.Rule!.Match} for {layer.Info.Name}"))}. Move it before the "
            + "earlier one, or drop it.");
    }

    /// <summary>The weights that a match selects, each under the name that represents it.</summary>
    private static LayerDecision[] Matched(LayerMatch match, IReadOnlyList<LayerDecision> layers) =>
        [.. layers.Where(layer => match.Matches(layer.Info)).Select(layer => Standing(layer, layers)).Distinct()];

    private static LayerDecision Standing(LayerDecision layer, IReadOnlyList<LayerDecision> layers) =>
        layer.TiedTo is { } first ? layers.First(other => other.Info.Name == first) : layer;

    private static string Reasons(LayerDecision[] layers) =>
        string.Join("; ", layers.Select(layer => $"{layer.Info.Name}: {layer.DenseReason}"));
}
