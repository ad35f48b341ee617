using System.Runtime.CompilerServices;

namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>What a comparison can be told; each property is an option of the same name.</summary>
internal sealed record CompareSettings
{
    /// <summary>The recipe: the name of one that comes with the program, or a JSON file.</summary>
    public string? Recipe { get; init; }

    /// <summary>A folder or .tar.gz of pictures, or the official binary archive.</summary>
    public string? Data { get; init; }

    /// <summary>The weights that all runs start from (safetensors).</summary>
    public string? Weights { get; init; }

    /// <summary>Where cells, tables and pictures go; finished cells found there are kept.</summary>
    public string? Out { get; init; }

    /// <summary>Runs at a time, each with one thread.</summary>
    public int Jobs { get; init => field = value > 0 ? value : throw Outside(value); } = 1;

    /// <summary>Whether to run nothing and make tables and pictures of what is there.</summary>
    public bool TablesOnly { get; init; }

    private static ArgumentOutOfRangeException Outside(int value, [CallerMemberName] string name = "") => new(name, value, "Must be at least 1.");
}
