using Pdp.Tests.Support;

namespace Pdp.Tests.Architecture;

/// <summary>The rooms of a library: the folders of its sources, those in folders too, and which other ones each may use.</summary>
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
        ("Numerics/Kernels", ["Internal", "Strategies"]),
        ("Numerics", ["Internal", "Strategies", "Numerics/Kernels"]),
        ("Scheduling", ["Internal"]),
        ("Channels/Groups", []),
        ("Channels/Cutting", ["Internal", "Channels/Groups"]),
        ("Channels/Probing/Running", ["Internal", "Channels/Cutting"]),
        ("Channels/Probing/Diagnosing", ["Internal", "Channels/Probing/Running"]),
        ("Channels/Probing/Reading", ["Internal", "Channels/Probing/Running", "Channels/Probing/Diagnosing"]),
        ("Channels/Probing/Checking", ["Internal", "Channels/Groups", "Channels/Cutting", "Channels/Probing/Running"]),
        ("Channels/Probing",
        [
            "Internal", "Channels/Groups", "Channels/Probing/Running", "Channels/Probing/Diagnosing", "Channels/Probing/Reading",
            "Channels/Probing/Checking"
        ]),
        ("Channels/Counting", ["Internal", "Channels/Groups", "Channels/Probing/Running"]),
        ("Channels/Shrinking",
        [
            "Internal", "Channels/Groups", "Channels/Cutting", "Channels/Probing/Running", "Channels/Probing/Checking"
        ]),
        ("Channels", ["Internal", "Channels/Groups", "Channels/Probing", "Channels/Counting"]),
        ("Layers", ["Internal", "Strategies", "Scheduling", "Channels/Groups", "Channels"]),
        ("Masking", ["Internal", "Strategies", "Numerics/Kernels", "Numerics", "Scheduling", "Channels/Groups", "Layers"]),
        ("Allocation",
        [
            "Internal", "Strategies", "Numerics/Kernels", "Channels/Groups", "Channels/Counting", "Channels", "Layers", "Masking"
        ]),
        ("Methods", ["Strategies", "Numerics", "Masking"]),
        ("Options", ["Internal", "Strategies", "Scheduling", "Channels/Counting", "Channels", "Layers", "Allocation", "Methods"]),
        ("Watching", ["Internal", "Numerics/Kernels", "Masking"]),
        ("Reporting",
        [
            "Internal", "Strategies", "Numerics/Kernels", "Numerics", "Scheduling", "Channels/Counting", "Channels", "Layers", "Masking"
        ]),
        ("Saving", ["Internal", "Strategies", "Scheduling", "Layers", "Masking", "Allocation", "Watching"]),
        (Root,
        [
            "Internal", "Strategies", "Scheduling", "Channels/Groups", "Channels/Cutting", "Channels/Probing/Running",
            "Channels/Counting", "Channels/Shrinking", "Channels", "Layers", "Masking", "Allocation", "Methods", "Options", "Watching",
            "Reporting", "Saving"
        ]),
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

    /// <summary>What a training loop needs.</summary>
    public static readonly Rooms Training = new("Pdp.Training", "Pdp.Training",
    [
        ("Internal", []),
        ("Files", ["Internal"]),
        ("Optimizers", []),
        ("Averaging", []),
        ("Gradients", []),
        ("Statistics", []),
        ("Distilling", []),
        ("Schedules", []),
        ("Distributed", ["Internal"]),
        ("Distributed/Mpi", ["Distributed"]),
        ("Checkpoints", ["Files", "Optimizers", "Averaging"]),
        (Root, []),
    ]);

    /// <summary>Other methods than PDP.</summary>
    public static readonly Rooms Baselines = new("Pdp.Baselines", "Pdp.Baselines",
    [
        ("Internal", []),
        ("Runs", ["Internal"]),
        ("Discrimination", ["Internal"]),
        (Root, ["Internal", "Runs", "Discrimination"]),
    ]);

    /// <summary>The library's sources by their paths below its folder; null outside of a repository.</summary>
    public IReadOnlyDictionary<string, string>? Sources => field ??= Read(Name);

    /// <summary>The sources that it takes from other libraries, by paths that lead out of its folder.</summary>
    public IReadOnlyDictionary<string, string> Lent => this == Core
        ? new Dictionary<string, string>()
        : new[] { Core, Training }
            .Where(rooms => rooms.Name != Name)
            .SelectMany(rooms => rooms.Sources!.Select(source => ($"../{rooms.Name}/{source.Key}", source.Value)))
            .ToDictionary();

    /// <summary>The room of a file: its folder, or the root.</summary>
    public static string Of(string path) => path.Contains('/', StringComparison.Ordinal) ? path[..path.LastIndexOf('/')] : Root;

    private static Dictionary<string, string>? Read(string name)
    {
        if (Repository.Root is not { } root)
            return null;

        var folder = Path.Combine(root, "src", name);
        return Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(folder, path).Replace('\\', '/'))
            // buildTransitive is compiled into users' builds, and bin and obj are not written by hand.
            .Where(path => path.Split('/')[0] is not ("bin" or "obj" or "buildTransitive"))
            .ToDictionary(path => path, path => File.ReadAllText(Path.Combine(folder, path)));
    }
}
