using Pdp.Internal;

namespace Pdp.Saving;

/// <summary>Describes how the settings of a saved run differ from the current ones.</summary>
internal static class SettingsDifference
{
    /// <summary>The number of characters shown of a long value, starting shortly before the first difference.</summary>
    private const int Shown = 120;

    /// <summary>The differences between the settings of two runs.</summary>
    public static IEnumerable<string> Of(IReadOnlyDictionary<string, string> saved, IReadOnlyDictionary<string, string> now) =>
        Changes(saved, now).Select(change => Sentence(change.Setting, change));

    /// <summary>The differences between the layers of two runs; a change that several layers share is listed once.</summary>
    public static IEnumerable<string> Of(
        IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> saved,
        IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> now)
    {
        if (now.Keys.Except(saved.Keys).ToArray() is { Length: > 0 } added)
            yield return $"{InvariantText.Listed(added)} {Are(added)} pruned now, but {(added.Length == 1 ? "was" : "were")} not when the "
                + "state was saved";
        if (saved.Keys.Except(now.Keys).ToArray() is { Length: > 0 } gone)
            yield return $"{InvariantText.Listed(gone)} {(gone.Length == 1 ? "was" : "were")} pruned when the state was saved, "
                + $"but {Are(gone)} not now";

        var changes = now.Where(layer => saved.ContainsKey(layer.Key))
            .SelectMany(layer => Changes(saved[layer.Key], layer.Value).Select(change => (layer.Key, Change: change)))
            .GroupBy(pair => pair.Change, pair => pair.Key);
        foreach (var change in changes)
            yield return Sentence($"{change.Key.Setting} of {InvariantText.Listed([.. change])}", change.Key);
    }

    private static IEnumerable<Change> Changes(IReadOnlyDictionary<string, string> saved, IReadOnlyDictionary<string, string> now) =>
        now.Keys.Union(saved.Keys)
            .Select(setting => new Change(setting, saved.GetValueOrDefault(setting), now.GetValueOrDefault(setting)))
            .Where(change => change.Saved != change.Now);

    private static string Sentence(string subject, Change change)
    {
        var start = FirstDifference(change.Saved ?? "", change.Now ?? "");
        return $"{subject} was {Excerpt(change.Saved, start)} when the state was saved, and is {Excerpt(change.Now, start)} now";
    }

    private static string Excerpt(string? value, int difference)
    {
        if (value is null)
            return "not set";
        var start = value.Length <= Shown ? 0 : Math.Clamp(difference - (Shown / 3), 0, value.Length - Shown);
        var end = Math.Min(value.Length, start + Shown);
        return $"{(start > 0 ? "…" : "")}{value[start..end]}{(end < value.Length ? "…" : "")}";
    }

    private static int FirstDifference(string a, string b) => a.AsSpan().CommonPrefixLength(b);

    private static string Are(string[] names) => names.Length == 1 ? "is" : "are";

    /// <summary>A setting with two values; null if it is not set.</summary>
    private readonly record struct Change(string Setting, string? Saved, string? Now);
}
