namespace Pdp.Tests.Support;

/// <summary>Compares what was found of a network with the truth.</summary>
internal static class ZooTruth
{
    /// <summary>Throws where groups are missing, wrong or too many, and where refusals are, or have another reason.</summary>
    public static void Check(ZooCase zoo, ChannelMap map)
    {
        string[][] found = [.. map.Groups.Select(
            group => group.Of(ChannelRole.Filter).Select(slice => LayerOf(slice.Name)).Distinct().ToArray())];
        Group[] right = [.. zoo.Groups.Concat(zoo.Either).Select(Group.Of)];
        foreach (var group in found)
            Assert.True(right.Any(truth => truth.Matches(group)), $"{zoo}: [{string.Join(' ', group)}] was found, which is not a group.");
        foreach (var truth in zoo.Groups.Select(Group.Of))
            Assert.True(found.Any(truth.Matches), $"{zoo}: [{truth}] was not found. {Words(map)}");

        var refusable = zoo.Either.SelectMany(text => Group.Of(text).All)
            .Concat(right.SelectMany(truth => truth.Optional)).ToHashSet(StringComparer.Ordinal);
        var refused = zoo.Unsupported.Select(text => text.Split(": ", 2)).ToDictionary(parts => parts[0], parts => parts[1].Split('|'));
        foreach (var (weight, reason) in map.Unsupported)
        {
            if (refused.TryGetValue(LayerOf(weight), out var words))
                Assert.True(
                    words.Any(word => reason.Contains(word, StringComparison.OrdinalIgnoreCase)),
                    $"{zoo}: {weight} is refused for another reason than {string.Join(" or ", words)}: {reason}");
            else
                Assert.True(refusable.Contains(LayerOf(weight)), $"{zoo}: {weight} is refused: {reason}");
        }

        foreach (var layer in refused.Keys)
            Assert.True(map.Unsupported.Keys.Any(weight => LayerOf(weight) == layer), $"{zoo}: {layer} was not refused.");
    }

    private static string LayerOf(string weight) => weight.EndsWith(".weight", StringComparison.Ordinal) ? weight[..^7] : weight;

    private static string Words(ChannelMap map) =>
        string.Join("; ", map.Groups) + " " + string.Join("; ", map.Unsupported.Select(pair => $"{pair.Key}: {pair.Value}"));

    private sealed record Group(string[] Required, string[] Optional)
    {
        public IEnumerable<string> All => Required.Concat(Optional);

        public static Group Of(string text)
        {
            var parts = text.Split('(', ')');
            string[] Names(int i) => i < parts.Length ? parts[i].Split(' ', StringSplitOptions.RemoveEmptyEntries) : [];
            return new(Names(0), Names(1));
        }

        public bool Matches(string[] filters) => Required.All(filters.Contains) && filters.All(All.Contains);

        public override string ToString() => string.Join(' ', All);
    }
}
