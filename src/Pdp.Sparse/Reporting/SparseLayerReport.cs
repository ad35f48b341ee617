namespace Pdp.Sparse;

/// <summary>What packing did to a weight.</summary>
public sealed record SparseLayerReport
{
    /// <summary>The name of the weight.</summary>
    public required string Name { get; init; }

    /// <summary>Its shape.</summary>
    public required IReadOnlyList<long> Shape { get; init; }

    /// <summary>The number of its elements that are zero.</summary>
    public required long Zeros { get; init; }

    /// <summary>The form that the layer has.</summary>
    public required LayerForm Form { get; init; }

    /// <summary>Why it has this form.</summary>
    public required string Reason { get; init; }

    /// <summary>
    /// The median time of the layer's calls on the example, dense with the same folding, in milliseconds; null if not timed.
    /// </summary>
    public double? DenseMilliseconds { get; init; }

    /// <summary>The median time of the layer's calls on the example, packed, in milliseconds; null if not timed.</summary>
    public double? PackedMilliseconds { get; init; }

    /// <summary>The names of the modules that are folded into it.</summary>
    public IReadOnlyList<string> Folded { get; init; } = [];

    /// <summary>The memory of the weight as it is now, with what restores the dense one, in bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>The memory of the dense weight, in bytes.</summary>
    public required long DenseBytes { get; init; }

    /// <summary>The number of its elements.</summary>
    public long Elements => Shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>The fraction of its elements that are zero.</summary>
    public double Sparsity => Elements == 0 ? 0 : (double)Zeros / Elements;
}
