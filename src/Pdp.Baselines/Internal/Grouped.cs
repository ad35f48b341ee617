namespace Pdp.Baselines.Internal;

/// <summary>Checks options and layers for methods on groups of channels.</summary>
internal static class Grouped
{
    /// <summary>Checks that options prune the groups of a map, and sets the map if they have none.</summary>
    /// <exception cref="ArgumentException">They name another strategy, or groups that the map doesn't have.</exception>
    public static PdpOptions Configure(PdpOptions options, string method, ChannelMap channels)
    {
        Ask.Strategies(options, method, Strategy.PerChannel);
        if (options.Channels?.Groups.FirstOrDefault(group => !channels.Groups.Any(other => IsSame(group, other))) is { } other)
            throw new ArgumentException(
                $"{method} was made for a channel map other than the options', whose group '{other.Name}' it doesn't have: use the same "
                + "map for both.", nameof(options));

        return options with { Channels = options.Channels ?? channels };
    }

    /// <summary>The same, and removes all channels at an eighth of the run if no schedule is set.</summary>
    /// <exception cref="ArgumentException">They name another strategy, or groups that the map doesn't have.</exception>
    public static PdpOptions ConfigureOneShot(PdpOptions options, string method, ChannelMap channels)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Configure(options, method, channels) with { Schedule = options.Schedule ?? new OneShot { Epoch = options.Epochs / 8 } };
    }

    /// <summary>The group of each layer.</summary>
    /// <exception cref="ArgumentException">A layer is not a group of the map.</exception>
    public static ChannelGroup[] Of(IReadOnlyList<MethodLayer> layers, string method, ChannelMap channels)
    {
        ArgumentNullException.ThrowIfNull(layers);
        return [.. layers.Select(layer => GroupOf(layer.Mask))];

        ChannelGroup GroupOf(PdpMask mask) =>
            channels.Groups.FirstOrDefault(group => group.Name == mask.Name && group.Channels == mask.Members)
            ?? throw new ArgumentException($"'{mask.Name}' is not a group of the channel map that {method} was made for.", nameof(layers));
    }

    /// <summary>Checks that a layer reads the channels of each group, for a method that ranks them by it.</summary>
    /// <exception cref="ArgumentException">None reads those of a group.</exception>
    public static void RequireRead(IEnumerable<ChannelGroup> groups, string method, string parameter)
    {
        if (groups.FirstOrDefault(group => !group.Of(ChannelRole.Input).Any()) is { } unread)
            throw new ArgumentException(
                $"{method} ranks channels by the layers that read them, but none reads '{unread.Name}'.", parameter);
    }

    /// <summary>Whether groups are the same; a map that was read from a file has lists of its own.</summary>
    private static bool IsSame(ChannelGroup group, ChannelGroup other) =>
        group with { Slices = other.Slices } == other && group.Slices.SequenceEqual(other.Slices);

    /// <summary>Checks that the scores of a ranking are finite.</summary>
    /// <exception cref="InvalidOperationException">A score is not finite.</exception>
    public static IReadOnlyDictionary<string, IReadOnlyList<double>> Finite(
        string method, IEnumerable<(string Group, double[] Scores)> ranking)
    {
        var scores = new Dictionary<string, IReadOnlyList<double>>(StringComparer.Ordinal);
        foreach (var (group, values) in ranking)
            scores[group] = values.All(double.IsFinite)
                ? values
                : throw new InvalidOperationException($"{method} can't rank the channels of '{group}': a score is not finite.");
        return scores;
    }
}
