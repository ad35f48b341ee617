namespace Pdp.Training;

/// <summary>How a file differed from the module that it was loaded into.</summary>
public sealed record LoadResult
{
    /// <summary>The module's tensors that the file did not hold, a tied one under none of its names.</summary>
    public required IReadOnlyList<string> Missing { get; init; }

    /// <summary>The file's tensors that the module does not have.</summary>
    public required IReadOnlyList<string> Unexpected { get; init; }

    /// <summary>The tensors that were rounded to the module's type.</summary>
    public required IReadOnlyList<string> Converted { get; init; }
}
