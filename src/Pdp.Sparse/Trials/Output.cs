
using static TorchSharp.torch;

namespace Pdp.Sparse.Trials;

/// <summary>What a model gives for an input.</summary>
internal static class Output
{
    /// <summary>How far a folded or packed model's output may be from the plain one's, relative to its largest element.</summary>
    public const double Tolerance = 1e-5;

    /// <summary>Whether two outputs are the same up to rounding; elements that are not finite have to be so in both.</summary>
    public static bool IsSame(Tensor output, Tensor expected)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        if (output.dtype != expected.dtype || !output.shape.AsSpan().SequenceEqual(expected.shape))
            return false;
        if (!expected.is_floating_point() || expected.numel() == 0)
            return output.eq(expected).all().cpu().ReadCpuBool(0);
        var (mine, other) = (Double(output), Double(expected));
        var finite = other.isfinite();
        if (!mine.isfinite().eq(finite).all().ReadCpuBool(0))
            return false;
        var zero = zeros_like(other);
        var largest = where(finite, other, zero).abs().max().ReadCpuDouble(0);
        var error = where(finite, mine.sub(other), zero).abs().max().ReadCpuDouble(0);
        return error <= Tolerance * largest;
    }

    private static Tensor Double(Tensor tensor) => tensor.detach().to_type(ScalarType.Float64).cpu();
}
