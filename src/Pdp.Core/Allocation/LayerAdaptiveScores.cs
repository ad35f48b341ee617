using System.Runtime.InteropServices;
using Pdp.Internal;
using Pdp.Numerics.Kernels;
using static TorchSharp.torch;

namespace Pdp.Allocation;

/// <summary>The layer-adaptive magnitudes of a layer's weights: w² / Σ v² over |v| ≥ |w|.</summary>
/// <remarks>They are computed on the CPU: sums on GPUs differ from run to run, and all ranks must come to the same counts.</remarks>
internal static class LayerAdaptiveScores
{
    /// <summary>The most numbers that TorchSharp gives a view of.</summary>
    private const int MostKeys = int.MaxValue / sizeof(float);

    /// <summary>The scores, on the CPU, in the arithmetic type of the weight and in any order. The result is the caller's.</summary>
    public static Tensor Of(Tensor weight) =>
        Precision.Of(weight.dtype) == ScalarType.Float32 && weight.numel() <= MostKeys ? OfKeys(weight) : OfTensor(weight);

    /// <summary>By tensor operations, for float64 and for more weights.</summary>
    public static Tensor OfTensor(Tensor weight)
    {
        using var scope = NewDisposeScope();
        var (magnitudes, _) = weight.cpu().to_type(ScalarType.Float64).flatten().abs().sort(descending: true);
        // Relative to the largest one, so that no square that matters is out of range. A layer of zeros has scores of 0, not NaN.
        var relative = magnitudes.div(magnitudes[0]);
        var squares = relative.mul(relative);
        return squares.div(squares.cumsum(0)).nan_to_num().to_type(Precision.Of(weight.dtype)).MoveToOuterDisposeScope();
    }

    /// <summary>The same numbers, sooner.</summary>
    private static Tensor OfKeys(Tensor weight)
    {
        ReadOnlySpan<float> magnitudes = MemoryMarshal.Cast<int, float>(KeySort.Ascending(KeysOf(weight)));
        var scores = new float[magnitudes.Length];
        var (largest, sum) = ((double)magnitudes[^1], 0.0);
        for (var i = magnitudes.Length - 1; i >= 0 && magnitudes[i] > 0; i--)
        {
            var relative = magnitudes[i] / largest;
            var square = relative * relative;
            sum += square;
            scores[i] = (float)(square / sum);
        }

        return tensor(scores);
    }

    private static int[] KeysOf(Tensor weight)
    {
        using var scope = NewDisposeScope();
        var magnitudes = Precision.Widen(weight.cpu()).abs().contiguous();
        return MemoryMarshal.Cast<byte, int>(magnitudes.bytes).ToArray();
    }
}
