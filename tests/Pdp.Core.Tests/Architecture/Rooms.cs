using Pdp.Tests.Support;

namespace Pdp.Tests.Architecture;

/// <summary>The rooms of the library: the folders of its sources, and which other ones each may use.</summary>
internal static class Rooms
{
    /// <summary>The files at the top, which users and nothing else come from.</summary>
    public const string Root = "";

    /// <summary>The rooms from the bottom up, with the rooms below that each may use.</summary>
    public static readonly IReadOnlyList<(string Room, string[] Uses)> Table =
    [
        ("Internal", []),
        ("Strategies", ["Internal"]),
        ("Numerics", ["Internal", "Strategies"]),
        ("Scheduling", ["Internal"]),
        ("Channels", ["Internal"]),
        ("Layers", ["Internal", "Strategies", "Scheduling", "Channels"]),
        ("Masking", ["Internal", "Strategies", "Numerics", "Scheduling", "Channels", "Layers"]),
        ("Allocation", ["Internal", "Strategies", "Numerics", "Channels", "Layers", "Masking"]),
        ("Methods", ["Strategies", "Numerics", "Masking"]),
        ("Options", ["Internal", "Strategies", "Scheduling", "Channels", "Layers", "Allocation", "Methods"]),
        ("Watching", ["Internal", "Numerics", "Masking"]),
        ("Reporting", ["Internal", "Strategies", "Numerics", "Scheduling", "Channels", "Layers", "Masking"]),
        ("Saving", ["Internal", "Strategies", "Scheduling", "Layers", "Masking", "Allocation", "Watching"]),
        (Root, ["Internal", "Strategies", "Scheduling", "Channels", "Layers", "Masking", "Allocation", "Methods", "Options", "Watching", "Reporting", "Saving"]),
    ];

    /// <summary>The library's sources by their paths below its folder; null outside of a repository.</summary>
    public static IReadOnlyDictionary<string, string>? Sources { get; } = Read();

    /// <summary>The room of a file: its first folder, or the root.</summary>
    public static string Of(string path) => path.Contains('/', StringComparison.Ordinal) ? path[..path.IndexOf('/', StringComparison.Ordinal)] : Root;

    private static Dictionary<string, string>? Read()
    {
        if (Repository.Root is not { } root)
            return null;

        var folder = Path.Combine(root, "src", "Pdp.Core");
        return Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(folder, path).Replace('\\', '/'))
            // buildTransitive is compiled into users' builds, and bin and obj are not written by hand.
            .Where(path => Of(path) is not ("bin" or "obj" or "buildTransitive"))
            .ToDictionary(path => path, path => File.ReadAllText(Path.Combine(folder, path)));
    }
}
