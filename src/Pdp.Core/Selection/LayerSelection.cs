using static TorchSharp.torch.nn;

namespace Pdp.Selection;

/// <summary>Decides by include, exclude and rules which weights of a model are pruned, and says why the others are not.</summary>
internal static class LayerSelection
{
    /// <summary>Selects.</summary>
    /// <returns>All names of weights, in the order of the model's parameters.</returns>
    /// <exception cref="ArgumentException">A match matches nothing, or the model has nothing to prune.</exception>
    public static IReadOnlyList<SelectedLayer> Select(
        Module model, IReadOnlyList<LayerMatch> include, IReadOnlyList<LayerMatch> exclude, IReadOnlyList<LayerRule> rules)
    {
        var scanned = Number(LayerScan.Scan(model), weight => weight.IsLayer);
        RequireMatches(include, scanned);
        bool[] included = [.. scanned.Select(weight => include.Any(weight.Matches))];
        // Layers that are written by hand count once they are included, so that the first one may be among them.
        var weights = Number(scanned, weight => weight.IsLayer || (weight.IsOther && include.Any(weight.Matches)));
        RequireMatches([.. exclude, .. rules.Select(rule => rule.Match)], weights);

        SelectedLayer[] selected =
        [
            .. weights.SelectMany((weight, i) => Decide(weight, include.Count == 0 ? null : included[i], exclude, rules))
                .OrderBy(pair => pair.Place).Select(pair => pair.Layer),
        ];
        foreach (var rule in rules)
            RequireAPrunedLayer(rule, selected);
        return selected;
    }

    private static TiedWeight[] Number(IReadOnlyList<TiedWeight> weights, Func<TiedWeight, bool> isLayer)
    {
        var layers = weights.Where(isLayer).ToList();
        return [.. weights.Select(weight => new TiedWeight([Numbered(weight, layers.IndexOf(weight), layers.LastOrDefault() == weight), .. weight.Names.Skip(1)]))];
    }

    private static ScannedWeight Numbered(TiedWeight weight, int index, bool isLast) =>
        weight.First with { Info = weight.First.Info with { Index = index, IsLast = isLast } };

    private static void RequireMatches(IEnumerable<LayerMatch> matches, TiedWeight[] weights)
    {
        if (matches.FirstOrDefault(match => !weights.Any(weight => weight.Matches(match))) is { } match)
            throw new ArgumentException($"No weight matches {match}. The candidates are {string.Join(", ", weights.SelectMany(weight => weight.Names).OrderBy(name => name.Place).Select(name => name.Info.Name))}.");
    }

    /// <summary>A rule for dense weights alone would have no effect, and nobody would be told.</summary>
    private static void RequireAPrunedLayer(LayerRule rule, SelectedLayer[] selected)
    {
        var matched = selected.Where(layer => rule.Match.Matches(layer.Info)).ToArray();
        if (matched.All(layer => layer.DenseReason is not null))
            throw new ArgumentException($"The rule for {rule.Match} concerns only weights that stay dense: {string.Join("; ", matched.Select(layer => $"{layer.Info.Name}: {layer.DenseReason}"))}. Include them or drop the rule.");
    }

    private static IEnumerable<(int Place, SelectedLayer Layer)> Decide(
        TiedWeight weight, bool? isIncluded, IReadOnlyList<LayerMatch> exclude, IReadOnlyList<LayerRule> rules)
    {
        var reason = exclude.FirstOrDefault(weight.Matches) is { } excluded ? $"excluded by {excluded}"
            : isIncluded is false ? "not included"
            : isIncluded is true ? weight.Refusal
            : weight.ReasonToLeave;
        foreach (var name in weight.Names)
        {
            var rule = rules.FirstOrDefault(rule => rule.Match.Matches(name.Info));
            yield return (name.Place, new(name.Info, name.Parameter, rule, name == weight.First ? reason : $"tied to {weight.First.Info.Name}"));
        }
    }
}
