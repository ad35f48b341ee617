namespace Pdp.Samples;

/// <summary>Says which options of pruning a dense run was given, as it makes no use of them.</summary>
internal static class DenseNote
{
    /// <summary>The note; null where there is nothing to say.</summary>
    public static string? Of<T>(T settings, string method)
        where T : PruningSettings, new()
    {
        if (method != "dense")
        {
            return null;
        }

        var usual = new T();
        string[] given =
        [
            .. CommandLine.Properties<T>()
                .Where(property => property.DeclaringType == typeof(PruningSettings) && !property.GetMethod!.IsAbstract)
                .Where(property => !Equals(property.GetValue(settings), property.GetValue(usual)))
                .Select(CommandLine.Option),
        ];
        return given.Length == 0 ? null : $"A dense run prunes nothing, whatever {string.Join(", ", given)} say: --method pdp prunes.";
    }
}
