using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Training.Gradients;

/// <summary>
/// libtorch's operations on lists of tensors, for gradients of one type on one device. They are reached through TorchScript.
/// </summary>
/// <remarks>
/// The script is constant and tested: one that does not compile aborts the process. Every Scalar is kept until its call returns,
/// since TorchSharp 0.107 lets the collector free one that is in use.
/// </remarks>
internal static class GradientKernels
{
    /// <summary>libtorch's number for float32, for norms of types whose squares overflow early.</summary>
    private const int Float32 = 6;

    // The compiler wants a newline after the last function, too.
    private const string Script = """
        def total(norms: List[Tensor]):
            return torch.linalg_vector_norm(torch.stack(norms), 2.0)

        def norm(gradients: List[Tensor]):
            return torch.linalg_vector_norm(torch.stack(torch._foreach_norm(gradients, 2.0)), 2.0)

        def norm_in(gradients: List[Tensor], type: int):
            return torch.linalg_vector_norm(torch.stack(torch._foreach_norm(gradients, 2.0, dtype=type)), 2.0)

        def limit_(gradients: List[Tensor], norm: Tensor, maximum: float):
            torch._foreach_mul_(gradients, torch.clamp(maximum / (norm + 1e-6), max=1.0))

        def clamp_(gradients: List[Tensor], maximum: float):
            torch._foreach_clamp_min_(gradients, -maximum)
            torch._foreach_clamp_max_(gradients, maximum)

        def zero_unless_finite_(gradients: List[Tensor], norm: Tensor):
            wrong = torch.logical_not(torch.isfinite(norm))
            for gradient in gradients:
                gradient.masked_fill_(wrong, 0.0)


        """;

    private static readonly Lazy<jit.CompilationUnit> Unit = new(() => jit.compile(Script));

    /// <summary>The norm of norms.</summary>
    public static Tensor Total(Tensor[] norms) => Call("total", [norms]);

    /// <summary>The norm of gradients, in float32 for half-precision ones.</summary>
    public static Tensor Norm(Tensor[] gradients)
    {
        using Scalar type = Float32.ToScalar();
        return gradients[0].dtype is ScalarType.Float16 or ScalarType.BFloat16
            ? Call("norm_in", [gradients, type])
            : Call("norm", [gradients]);
    }

    /// <summary>g ← g·min(1, c/(‖g‖ + 10⁻⁶)).</summary>
    public static void Limit(Tensor[] gradients, Tensor norm, double maximum)
    {
        using Scalar limit = maximum.ToScalar();
        Run("limit_", [gradients, norm, limit]);
    }

    /// <summary>g ← max(−c, min(c, g)).</summary>
    public static void Clamp(Tensor[] gradients, double maximum)
    {
        using Scalar limit = maximum.ToScalar();
        Run("clamp_", [gradients, limit]);
    }

    /// <summary>g ← 0 where the norm isn't finite.</summary>
    public static void ZeroUnlessFinite(Tensor[] gradients, Tensor norm) => Run("zero_unless_finite_", [gradients, norm]);

    private static Tensor Call(string name, object[] arguments) => (Tensor)Run(name, arguments)!;

    private static object? Run(string name, object[] arguments)
    {
        var result = Unit.Value.invoke(name, arguments);
        GC.KeepAlive(arguments);
        return result;
    }
}
