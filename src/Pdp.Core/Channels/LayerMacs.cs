namespace Pdp.Channels;

/// <summary>The multiply-accumulates of a layer.</summary>
/// <param name="Name">The module's name; empty if the model itself is the layer.</param>
/// <param name="Weight">The name of its weight; of tied weights the first one's.</param>
/// <param name="Shape">The shape of its weight.</param>
/// <param name="Positions">
/// How many times the whole weight is applied: at each place of the output, of a transposed convolution of the input, in every call; 0 if the
/// layer doesn't run.
/// </param>
public sealed record LayerMacs(string Name, string Weight, IReadOnlyList<long> Shape, long Positions)
{
    /// <summary>The multiply-accumulates, positions · weights; those with the zeros of a padding count, a bias doesn't.</summary>
    public long Macs => Shape.Aggregate(Positions, (product, size) => checked(product * size));
}
