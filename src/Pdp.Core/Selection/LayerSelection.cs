using Pdp.Internal;
using static TorchSharp.torch.nn;

namespace Pdp.Selection;

/// <summary>Decides by include, exclude and rules which weights of a model are pruned, and says why the others are not.</summary>
internal static class LayerSelection
{
    /// <summary>Selects.</summary>
    /// <exception cref="ArgumentException">A match matches nothing, or the model has nothing to prune.</exception>
    public static IReadOnlyList<SelectedLayer> Select(
        Module model, IReadOnlyList<LayerMatch> include, IReadOnlyList<LayerMatch> exclude, IReadOnlyList<LayerRule> rules)
    {
        var weights = LayerScan.Scan(model);
        var layers = Number(weights);
        foreach (var match in include.Concat(exclude).Concat(rules.Select(rule => rule.Match)))
            RequireAMatch(match, layers);

        SelectedLayer[] selected = [.. weights.Zip(layers, (weight, layer) => Decide(weight, layer, include, exclude, rules))];
        foreach (var rule in rules)
            RequireAPrunedLayer(rule, selected);
        return selected;
    }

    private static List<LayerInfo> Number(IReadOnlyList<ScannedWeight> weights)
    {
        var candidates = weights.Where(weight => weight.ReasonToLeave is null).ToList();
        return
        [
            .. weights.Select(weight => new LayerInfo(
                weight.Name,
                weight.ModuleName,
                weight.Module,
                LayerScan.LayoutOf(weight.Module, weight.Parameter),
                candidates.IndexOf(weight),
                candidates.Count > 0 && candidates[^1] == weight)),
        ];
    }

    private static void RequireAMatch(LayerMatch match, List<LayerInfo> layers)
    {
        if (!layers.Any(match.Matches))
            throw new ArgumentException($"No weight matches {match}. The candidates are {string.Join(", ", layers.Select(layer => layer.Name))}.");
    }

    /// <summary>A rule for dense weights alone would have no effect, and nobody would be told.</summary>
    private static void RequireAPrunedLayer(LayerRule rule, SelectedLayer[] selected)
    {
        var matched = selected.Where(layer => rule.Match.Matches(layer.Info)).ToArray();
        if (matched.All(layer => layer.DenseReason is not null))
            throw new ArgumentException($"The rule for {rule.Match} concerns only weights that stay dense: {string.Join("; ", matched.Select(layer => $"{layer.Info.Name}: {layer.DenseReason}"))}. Include them or drop the rule.");
    }

    private static SelectedLayer Decide(
        ScannedWeight weight, LayerInfo layer, IReadOnlyList<LayerMatch> include, IReadOnlyList<LayerMatch> exclude, IReadOnlyList<LayerRule> rules)
    {
        var rule = rules.FirstOrDefault(rule => rule.Match.Matches(layer));
        var excluded = exclude.FirstOrDefault(match => match.Matches(layer));
        var included = include.FirstOrDefault(match => match.Matches(layer));
        var mustLeave = weight.IsTied || !Precision.IsPrunable(weight.Parameter.dtype);
        var reason = excluded is not null ? $"excluded by {excluded}"
            : include.Count > 0 && included is null ? "not included"
            : included is null || mustLeave ? weight.ReasonToLeave
            : null;
        return new(layer, weight.Parameter, rule, reason);
    }
}
