using Pdp.Tests.Support;

namespace Pdp.Tests.Architecture;

/// <summary>The rooms of a library: the folders of its sources, and which other ones each may use.</summary>
/// <param name="Name">The library.</param>
/// <param name="Namespace">The namespace of what is public, and the first part of the others.</param>
/// <param name="Table">The rooms from the bottom up, with the rooms below that each may use.</param>
internal sealed record Rooms(string Name, string Namespace, IReadOnlyList<(string Room, string[] Uses)> Table)
{
    /// <summary>The files at the top, which users and nothing else come from.</summary>
    public const string Root = "";

    /// <summary>The pruning library.</summary>
    public static readonly Rooms Core = new("Pdp.Core", "Pdp",
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
    ]);

    /// <summary>Sparse execution and files.</summary>
    public static readonly Rooms Sparse = new("Pdp.Sparse", "Pdp.Sparse",
    [
        ("Kernels", []),
        ("Options", []),
        ("Files", []),
        ("Hooks", []),
        ("Layers", ["Kernels", "Options", "Hooks"]),
        ("Folding", ["Kernels", "Hooks", "Layers"]),
        ("Packing", ["Kernels", "Options", "Hooks", "Layers", "Folding"]),
        ("Trials", ["Kernels", "Options", "Hooks", "Layers", "Folding", "Packing"]),
        ("Reporting", ["Options", "Layers", "Folding", "Packing", "Trials"]),
        (Root, ["Options", "Files", "Layers", "Folding", "Packing", "Trials", "Reporting"]),
    ]);

    /// <summary>The library's sources by their paths below its folder; null outside of a repository.</summary>
    public IReadOnlyDictionary<string, string>? Sources => field ??= Read(Name);

    /// <summary>The sources that it takes from other libraries, by paths that lead out of its folder.</summary>
    public IReadOnlyDictionary<string, string> Lent => this == Core
        ? new Dictionary<string, string>()
        : new[] { "Pdp.Core", "Pdp.Training" }
            .SelectMany(name => Read(name)!.Select(source => ($"../{name}/{source.Key}", source.Value)))
            .ToDictionary();

    /// <summary>The room of a file: its first folder, or the root.</summary>
    public static string Of(string path) => path.Contains('/', StringComparison.Ordinal) ? path[..path.IndexOf('/', StringComparison.Ordinal)] : Root;

    private static Dictionary<string, string>? Read(string name)
    {
        if (Repository.Root is not { } root)
            return null;

        var folder = Path.Combine(root, "src", name);
        return Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(folder, path).Replace('\\', '/'))
            // buildTransitive is compiled into users' builds, and bin and obj are not written by hand.
            .Where(path => Of(path) is not ("bin" or "obj" or "buildTransitive"))
            .ToDictionary(path => path, path => File.ReadAllText(Path.Combine(folder, path)));
    }
}
