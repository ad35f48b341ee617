using System.Runtime.InteropServices;
using Pdp.Internal;
using Pdp.Numerics.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Allocation;

/// <summary>The layer-adaptive magnitudes of a layer's weights: w² / Σ v² over |v| ≥ |w|.</summary>
internal static class LayerAdaptiveScores
{
    /// <summary>The most numbers that TorchSharp gives a view of.</summary>
    private const int MostKeys = int.MaxValue / sizeof(float);

    /// <summary>The scores in the arithmetic type of the weight, in no order that matters. The result is the caller's.</summary>
    public static Tensor Of(Tensor weight) =>
        weight.device_type == DeviceType.CPU && Precision.Of(weight.dtype) == ScalarType.Float32 && weight.numel() <= MostKeys
            ? OfKeys(weight)
            : OfTensor(weight);

    /// <summary>By tensor operations, on the weight's device.</summary>
    public static Tensor OfTensor(Tensor weight)
    {
        using var scope = NewDisposeScope();
        var (magnitudes, _) = weight.to_type(ScalarType.Float64).flatten().abs().sort(descending: true);
        // Relative to the largest one, so that no square that matters is out of range. A layer of zeros has scores of 0, not NaN.
        var relative = magnitudes.div(magnitudes[0]);
        var squares = relative.mul(relative);
        return squares.div(squares.cumsum(0)).nan_to_num().to_type(Precision.Of(weight.dtype)).MoveToOuterDisposeScope();
    }

    /// <summary>The same numbers, sooner.</summary>
    private static Tensor OfKeys(Tensor weight)
    {
        using var scope = NewDisposeScope();
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

        return tensor(scores).MoveToOuterDisposeScope();
    }

    private static int[] KeysOf(Tensor weight)
    {
        var magnitudes = Precision.Widen(weight).abs().contiguous();
        return MemoryMarshal.Cast<byte, int>(magnitudes.bytes).ToArray();
    }
}
