using System.Runtime.CompilerServices;

namespace Pdp.Tests.Support;

/// <summary>Where the sources lie: above the build's output, or, where that lies elsewhere, above this file.</summary>
internal static class Repository
{
    /// <summary>The root's path; null where neither is in a repository.</summary>
    public static string? Root { get; } = Find();

    private static string? Find([CallerFilePath] string source = "") =>
        Above(AppContext.BaseDirectory) ?? Above(Path.GetDirectoryName(source));

    private static string? Above(string? start)
    {
        var folder = string.IsNullOrEmpty(start) ? null : new DirectoryInfo(start);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Pdp.sln")))
            folder = folder.Parent;
        return folder?.FullName;
    }
}
