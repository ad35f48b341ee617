namespace Pdp;

/// <summary>How large a model is.</summary>
public sealed record ModelSize
{
    /// <summary>Its parameters; tied ones once.</summary>
    public required long Parameters { get; init; }

    /// <summary>The bytes that they take up.</summary>
    public required long Bytes { get; init; }

    /// <summary>The multiply-accumulates of a pass; null where they were not counted.</summary>
    public required long? Macs { get; init; }
}
