using static TorchSharp.torch;

namespace Pdp.Channels.Probing;

/// <summary>What counts as rounding in numbers of a type.</summary>
/// <param name="Tolerance">The share of a row's largest element.</param>
/// <param name="Jitter">A relative change of weights of a few last digits, to see what rounding can grow to.</param>
internal sealed record Rounding(double Tolerance, double Jitter)
{
    private static readonly Rounding OfDouble = new(1e-12, 5e-15);
    private static readonly Rounding OfSingle = new(5e-6, 5e-6);
    private static readonly Rounding OfHalf = new(1e-2, 1e-2);

    /// <summary>That of the coarsest type among some tensors.</summary>
    public static Rounding Of(IEnumerable<Tensor> tensors) =>
        tensors.Where(tensor => tensor.is_floating_point()).Select(Of).MaxBy(rounding => rounding.Tolerance) ?? OfSingle;

    private static Rounding Of(Tensor tensor) => tensor.dtype switch
    {
        ScalarType.Float64 => OfDouble,
        ScalarType.Float16 or ScalarType.BFloat16 => OfHalf,
        _ => OfSingle,
    };
}
