using static TorchSharp.torch.nn;

namespace Pdp.Layers;

/// <summary>
/// Applies include, exclude and rules to the weights of a model: which of them may be pruned, and why the others stay dense.
/// </summary>
internal static class LayerMatching
{
    /// <summary>Matches the weights of a model.</summary>
    /// <returns>All names of weights, in the order of the model's parameters.</returns>
    /// <exception cref="ArgumentException">
    /// A match matches nothing, an include or a rule has no effect, or the model has nothing to prune.
    /// </exception>
    public static IReadOnlyList<LayerDecision> Select(
        Module model, IReadOnlyList<LayerMatch> include, IReadOnlyList<LayerMatch> exclude, IReadOnlyList<LayerRule> rules)
    {
        var scanned = Number(LayerScan.Scan(model), weight => weight.IsLayer);
        RequireMatches(include, scanned);
        bool[] included = [.. scanned.Select(weight => include.Any(weight.Matches))];
        // Hand-written layers count once they are included, so the first layer may be one of them.
        var weights = Number(scanned, weight => weight.IsLayer || (weight.IsOther && include.Any(weight.Matches)));
        RequireMatches([.. exclude, .. rules.Select(rule => rule.Match)], weights);

        LayerDecision[] selected =
        [
            .. weights.SelectMany((weight, i) => Decide(weight, include.Count == 0 ? null : included[i], exclude, rules))
                .OrderBy(pair => pair.Place).Select(pair => pair.Layer),
        ];
        foreach (var match in include)
            EffectChecks.Require(match, selected);
        foreach (var rule in rules)
            EffectChecks.Require(rule, selected);
        return selected;
    }

    private static TiedWeight[] Number(IReadOnlyList<TiedWeight> weights, Func<TiedWeight, bool> isLayer)
    {
        var layers = weights.Where(isLayer).ToList();
        // A head that is tied to the embedding is still the last layer, wherever the two are registered.
        var last = weights.Where(weight => isLayer(weight) || weight.IsUsedByLayer).MaxBy(weight => weight.Names[^1].Place);
        return [.. weights.Select(weight =>
            new TiedWeight([.. weight.Names.Select((name, i) => Numbered(name, i == 0 ? layers.IndexOf(weight) : -1, weight == last))]))];
    }

    private static ScannedWeight Numbered(ScannedWeight name, int index, bool isLast) =>
        name with { Info = name.Info with { Index = index, IsLast = isLast } };

    private static void RequireMatches(IEnumerable<LayerMatch> matches, TiedWeight[] weights)
    {
        if (matches.FirstOrDefault(match => !weights.Any(weight => weight.Matches(match))) is { } match)
            throw new ArgumentException($"No weight matches {match}. The candidates are {Names(weights)}.");
    }

    private static string Names(TiedWeight[] weights) =>
        string.Join(", ", weights.SelectMany(weight => weight.Names).OrderBy(name => name.Place).Select(name => name.Info.Name));

    private static IEnumerable<(int Place, LayerDecision Layer)> Decide(
        TiedWeight weight, bool? isIncluded, IReadOnlyList<LayerMatch> exclude, IReadOnlyList<LayerRule> rules)
    {
        var reason = exclude.FirstOrDefault(weight.Matches) is { } excluded ? $"excluded by {excluded}"
            : isIncluded is false ? "not included"
            : isIncluded is true ? weight.Refusal
            : weight.ReasonToLeave;
        var common = rules.FirstOrDefault(rule => weight.Matches(rule.Match));
        foreach (var name in weight.Names)
        {
            var own = rules.FirstOrDefault(rule => rule.Match.Matches(name.Info));
            yield return (name.Place, name == weight.First
                ? new(name.Info, name.Parameter, common, own, reason)
                : new(name.Info, name.Parameter, common, own, $"tied to {weight.First.Info.Name}", TiedTo: weight.First.Info.Name));
        }
    }
}
