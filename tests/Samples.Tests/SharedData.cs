namespace Pdp.Samples.Tests;

/// <summary>The data folder beside the repository.</summary>
internal static class SharedData
{
    public static string? Folder { get; } = Find();

    public static string File(string name) => Path.Combine(Folder!, name);

    private static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "shared", "data");
            if (Directory.Exists(candidate))
            {
                return candidate;
            }
        }

        return null;
    }
}
