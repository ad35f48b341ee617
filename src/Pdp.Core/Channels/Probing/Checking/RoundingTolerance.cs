using static TorchSharp.torch;

namespace Pdp.Channels.Probing.Checking;

/// <summary>The differences that count as rounding for a type.</summary>
/// <param name="Tolerance">The tolerated share of a row's largest element.</param>
/// <param name="Jitter">A relative change of weights in their last digits, which shows how rounding errors grow.</param>
/// <param name="Chaos">If the last digits change outputs by more than this share, the outputs can't be compared.</param>
internal sealed record RoundingTolerance(double Tolerance, double Jitter, double Chaos = 0.01)
{
    private static readonly RoundingTolerance OfDouble = new(1e-12, 5e-15);
    private static readonly RoundingTolerance OfSingle = new(5e-6, 5e-6);
    private static readonly RoundingTolerance OfHalf = new(1e-2, 4e-3, 0.1);

    /// <summary>The tolerance of the coarsest type among some tensors.</summary>
    public static RoundingTolerance Of(IEnumerable<Tensor> tensors) =>
        tensors.Where(tensor => tensor.is_floating_point()).Select(Of).MaxBy(rounding => rounding.Tolerance) ?? OfSingle;

    /// <summary>Whether a tensor is of a type of half precision, which can't show whether a cut is right.</summary>
    public static bool IsCoarse(Tensor tensor) => tensor.dtype is ScalarType.Float16 or ScalarType.BFloat16;

    private static RoundingTolerance Of(Tensor tensor) => tensor.dtype switch
    {
        ScalarType.Float64 => OfDouble,
        _ when IsCoarse(tensor) => OfHalf,
        _ => OfSingle,
    };
}
