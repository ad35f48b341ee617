namespace Pdp.Samples;

/// <summary>The value of <c>--importance</c>.</summary>
internal static class ImportanceOption
{
    private static readonly string[] Names = ["magnitude", "taylor"];

    /// <summary>The importance of a name; null for magnitude, the library's default.</summary>
    public static IImportance? Of(string? name) => name == "taylor" ? new Taylor() : null;

    /// <summary>Checks that a method ranks weights by what is asked for.</summary>
    /// <exception cref="ArgumentException">It ranks in its own way.</exception>
    public static void Require(string? name, string method)
    {
        if (Of(name) is not null && method != "pdp")
        {
            throw new ArgumentException($"--importance {name} is for --method pdp; {method} ranks in its own way.");
        }
    }

    /// <summary>The name itself, if there is such an importance.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static string Checked(string name) =>
        Names.Contains(name) ? name : throw new ArgumentException(CommandLine.Unknown("importance", name, Names));
}
