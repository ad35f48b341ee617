namespace Pdp.Samples;

/// <summary>The value of <c>--importance</c>.</summary>
internal static class ImportanceOption
{
    private static readonly string[] Names = ["magnitude", "taylor"];

    /// <summary>The importance of a name; null for magnitude, the library's default.</summary>
    public static IImportance? Of(string? name) => name == "taylor" ? new Taylor() : null;

    /// <summary>The name itself, if there is such an importance.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static string Checked(string name) =>
        Names.Contains(name) ? name : throw new ArgumentException(CommandLine.Unknown("importance", name, Names));
}
