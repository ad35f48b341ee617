using System.Text.Json;

namespace Pdp.Samples.Comparison;

/// <summary>A row: a method and how it takes part.</summary>
internal sealed record MethodRecipe
{
    /// <summary>The method, where the row has another name.</summary>
    public string? Method { get; init; }

    /// <summary>The columns that it is defined for; all if not given.</summary>
    public IReadOnlyList<string>? Columns { get; init; }

    /// <summary>Those of the seeds that it runs with; all if not given.</summary>
    public IReadOnlyList<int>? Seeds { get; init; }

    /// <summary>Options of its runs.</summary>
    public Dictionary<string, JsonElement> Options { get; init; } = [];

    /// <summary>Options of its runs in single columns.</summary>
    public Dictionary<string, Dictionary<string, JsonElement>> In { get; init; } = [];
}
