namespace Pdp;

/// <summary>The multiply-accumulates of a layer.</summary>
public sealed record LayerMacs
{
    /// <summary>The module's name, followed by the part for an attention module; empty if the model itself is the layer.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// The name of its weight (the first name of a tied weight); empty for a product of activations, which has no weight.
    /// </summary>
    public required string Weight { get; init; }

    /// <summary>The shape of its weight, or of a part of a weight; for a product [queries, keys, width].</summary>
    public required IReadOnlyList<long> Shape { get; init; }

    /// <summary>The number of times that the whole weight is applied, over all calls.</summary>
    /// <value>Once at each position of the output (of the input for a transposed convolution); 0 if the layer doesn't run.</value>
    public required long Positions { get; init; }

    /// <summary>The multiply-accumulates, positions · weights. Products with padding are counted; biases are not.</summary>
    public long Macs => Shape.Aggregate(Positions, (product, size) => checked(product * size));
}
