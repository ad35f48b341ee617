using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Benchmarks;

/// <summary>Equation 2 as a user would write it down, through autograd: five operations after the threshold.</summary>
internal static class PlainMask
{
    /// <summary>ŵ = w·σ((w² − t²)/τ) of a layer with one threshold, in the caller's scope.</summary>
    public static Tensor Masked(Parameter weight, PdpMask mask, Tensor temperature)
    {
        var threshold = mask.Threshold(weight).reshape(1);
        return weight.mul(weight).sub(threshold.mul(threshold)).div(temperature).sigmoid().mul(weight);
    }
}
