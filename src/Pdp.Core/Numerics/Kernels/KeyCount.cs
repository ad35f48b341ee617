using static TorchSharp.torch;

namespace Pdp.Numerics.Kernels;

/// <summary>Counts magnitudes in memory, without a copy of them.</summary>
internal static unsafe class KeyCount
{
    /// <summary>
    /// The number of weights whose magnitude is below a bound; null if they are not contiguous float32 numbers on the CPU.
    /// </summary>
    public static long? Below(Tensor weight, float bound)
    {
        var count = weight.numel();
        if (!NativeTensor.IsSupported || NativeTensor.Elements(weight.Handle, count) is var elements && elements is null)
            return null;

        // There is no room to collect the keys at the bound: they are only counted.
        var key = BitConverter.SingleToInt32Bits(bound);
        var totals = default(CountTotals);
        for (var start = 0L; start < count; start += int.MaxValue / 2)
            KeyScan.Count((int*)elements + start, (int)Math.Min(count - start, int.MaxValue / 2), key, key, &totals);
        GC.KeepAlive(weight);
        return totals.Below;
    }
}
