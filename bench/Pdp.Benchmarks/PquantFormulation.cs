using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Benchmarks;

/// <summary>PDP as PQuantML computes it: a full top-k for the threshold, and the mask as a two-way softmax through autograd.</summary>
internal static class PquantFormulation
{
    private static readonly Scalar One = 1.ToScalar();

    /// <summary>ŵ of a weight, in the caller's scope.</summary>
    public static Tensor Masked(Tensor weight, long removed, Tensor half, Tensor temperature)
    {
        var flat = weight.flatten();
        var sorted = flat.abs().topk((int)flat.numel(), 0, largest: false).values;
        var threshold = sorted.narrow(0, removed - 1, 1).add(sorted.narrow(0, removed, 1), One).mul(half);
        var scores = stack([threshold.mul(threshold).expand(flat.numel()), flat.mul(flat)], 0);
        var mask = scores.div(temperature).softmax(0).select(0, 1);
        return mask.mul(flat).reshape(weight.shape);
    }
}
