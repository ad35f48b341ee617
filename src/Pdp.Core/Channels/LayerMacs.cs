namespace Pdp;

/// <summary>The multiply-accumulates of a layer.</summary>
public sealed record LayerMacs
{
    /// <summary>The module's name, of an attention module with its part; empty if the model itself is the layer.</summary>
    public required string Name { get; init; }

    /// <summary>The name of its weight, of tied weights the first one's; empty for a product of activations, which has none.</summary>
    public required string Weight { get; init; }

    /// <summary>The shape of its weight, or of a part of a weight; of a product [queries, keys, width].</summary>
    public required IReadOnlyList<long> Shape { get; init; }

    /// <summary>How many times the whole weight is applied, in all calls together.</summary>
    /// <value>Once at each place of the output, of a transposed convolution of the input; 0 if the layer doesn't run.</value>
    public required long Positions { get; init; }

    /// <summary>The multiply-accumulates, positions · weights; those with the zeros of a padding count, a bias doesn't.</summary>
    public long Macs => Shape.Aggregate(Positions, (product, size) => checked(product * size));
}
