using Pdp.Internal;

namespace Pdp.Sparse;

/// <summary>The form of a layer.</summary>
public sealed record SparseLayerPlan
{
    /// <summary>The name of its weight, such as <c>layer1.0.conv1.weight</c>.</summary>
    public required string Name { get; init => field = Guard.NotNull(value); }

    /// <summary>The shape of its weight.</summary>
    public required IReadOnlyList<long> Shape { get; init => field = Guard.NotNull(value); }

    /// <summary>The form.</summary>
    public required LayerForm Form { get; init; }

    /// <summary>The name of the batch norm that is folded into it; null, the default, if none is.</summary>
    public string? Norm { get; init; }

    /// <summary>The name of the activation that is folded into it; null, the default, if none is.</summary>
    public string? Activation { get; init; }
}
