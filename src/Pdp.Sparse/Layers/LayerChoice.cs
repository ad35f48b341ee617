namespace Pdp.Sparse.Layers;

/// <summary>Which weights the options force to be packed, and which they exclude.</summary>
internal static class LayerChoice
{
    /// <summary>The weights that have to be packed.</summary>
    /// <exception cref="ArgumentException">
    /// A match matches nothing, or a weight that can't be packed or is excluded; or a plan leaves nothing to choose.
    /// </exception>
    public static IReadOnlySet<WeightEntry> Forced(SparseOptions options, IReadOnlyList<WeightEntry> weights)
    {
        RequireNoneBesideAPlan(options);
        RequireMatches(options.Include.Concat(options.Exclude), weights);
        foreach (var match in options.Include)
        {
            WeightEntry[] matched = [.. weights.Where(weight => match.Matches(weight.Info))];
            if (matched.All(weight => ReasonAgainst(weight, options) is not null))
            {
                throw new ArgumentException(
                    $"{match} is included, but can't be packed: "
                    + string.Join("; ", matched.Select(weight => $"{weight.Info.Name}: {ReasonAgainst(weight, options)}")) + ".",
                    nameof(options));
            }
        }

        return weights
            .Where(weight => ReasonAgainst(weight, options) is null && options.Include.Any(match => match.Matches(weight.Info)))
            .ToHashSet();
    }

    /// <summary>Why a weight can't be packed under the options; null if it can.</summary>
    public static string? ReasonAgainst(WeightEntry weight, SparseOptions options) =>
        weight.Obstacle
        ?? (options.Exclude.FirstOrDefault(match => match.Matches(weight.Info)) is { } match ? $"excluded by {match}" : null);

    private static void RequireNoneBesideAPlan(SparseOptions options)
    {
        if (options.Plan is not null
            && (options.Include.Count > 0 || options.Exclude.Count > 0 || !options.Fold || !options.ChannelsLast))
        {
            throw new ArgumentException(
                "A plan says which weights are packed, and how: leave Include, Exclude, Fold and ChannelsLast unset, or Plan, to pack by "
                + "an example.", nameof(options));
        }
    }

    private static void RequireMatches(IEnumerable<LayerMatch> matches, IReadOnlyList<WeightEntry> weights)
    {
        if (matches.FirstOrDefault(match => !weights.Any(weight => match.Matches(weight.Info))) is { } match)
        {
            throw new ArgumentException(
                $"No weight matches {match}. The candidates are {string.Join(", ", weights.Select(weight => weight.Info.Name))}.");
        }
    }
}
