using static TorchSharp.torch;

namespace Pdp.Internal;

/// <summary>The arithmetic type of a weight: float64 for float64, float32 for everything narrower.</summary>
internal static class Precision
{
    /// <summary>The smallest normal float32 and bfloat16 number: anything smaller slows down arithmetic on CPUs.</summary>
    public const double SmallestNormal = 1.17549435e-38;

    /// <summary>The smallest normal number of the arithmetic type.</summary>
    public static double SmallestNormalOf(ScalarType type) => type == ScalarType.Float64 ? 2.2250738585072014e-308 : SmallestNormal;

    /// <summary>The largest finite number of the arithmetic type.</summary>
    public static double LargestOf(ScalarType type) => type == ScalarType.Float64 ? double.MaxValue : float.MaxValue;

    public static bool IsPrunable(ScalarType type) =>
        type is ScalarType.Float32 or ScalarType.Float64 or ScalarType.BFloat16 or ScalarType.Float16;

    public static ScalarType Of(ScalarType type) =>
        type == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;

    /// <summary>The tensor in its arithmetic type; an alias if it already has it. The result is the caller's.</summary>
    public static Tensor Widen(Tensor tensor) =>
        Of(tensor.dtype) == tensor.dtype ? tensor.alias() : tensor.to_type(Of(tensor.dtype));
}
