namespace Pdp;

/// <summary>The size of a model.</summary>
public sealed record ModelSize
{
    /// <summary>The number of its parameters, tied ones counted once.</summary>
    public required long Parameters { get; init; }

    /// <summary>The number of bytes that the parameters take.</summary>
    public required long Bytes { get; init; }

    /// <summary>The multiply-accumulates of a pass; null if they were not counted.</summary>
    public required long? Macs { get; init; }
}
