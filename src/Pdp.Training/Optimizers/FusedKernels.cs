using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Training.Optimizers;

/// <summary>libtorch's optimizer kernels, which update all parameters in one call. They are reached through TorchScript.</summary>
/// <remarks>
/// The script is constant and tested: one that does not compile aborts the process. Every Scalar is kept until its call returns,
/// since TorchSharp 0.107 lets the collector free one that is in use.
/// </remarks>
internal static class FusedKernels
{
    // The compiler wants a newline after the last function, too.
    private const string Script = """
        def sgd_(
                parameters: List[Tensor], gradients: List[Tensor], momenta: List[Tensor],
                learning_rate: float, momentum: float, dampening: float, weight_decay: float, is_nesterov: bool, is_first: bool):
            return torch._fused_sgd_(
                parameters, gradients, momenta, weight_decay=weight_decay, momentum=momentum, lr=learning_rate, dampening=dampening,
                nesterov=is_nesterov, maximize=False, is_first_step=is_first)

        def adam_(
                parameters: List[Tensor], gradients: List[Tensor], means: List[Tensor], squares: List[Tensor], largest: List[Tensor],
                steps: List[Tensor], learning_rate: float, beta1: float, beta2: float, weight_decay: float, epsilon: float,
                is_amsgrad: bool):
            return torch._fused_adam_(
                parameters, gradients, means, squares, largest, steps, lr=learning_rate, beta1=beta1, beta2=beta2,
                weight_decay=weight_decay, eps=epsilon, amsgrad=is_amsgrad, maximize=False)

        def adamw_(
                parameters: List[Tensor], gradients: List[Tensor], means: List[Tensor], squares: List[Tensor], largest: List[Tensor],
                steps: List[Tensor], learning_rate: float, beta1: float, beta2: float, weight_decay: float, epsilon: float,
                is_amsgrad: bool):
            return torch._fused_adamw_(
                parameters, gradients, means, squares, largest, steps, lr=learning_rate, beta1=beta1, beta2=beta2,
                weight_decay=weight_decay, eps=epsilon, amsgrad=is_amsgrad, maximize=False)

        def touch_(empty: List[Tensor]):
            return torch._foreach_zero_(empty)


        """;

    private static readonly Lazy<jit.CompilationUnit> Unit = new(() => jit.compile(Script));

    /// <summary>PyTorch's <c>_fused_sgd_</c>.</summary>
    public static void Sgd(
        Tensor[] parameters, Tensor[] gradients, Tensor[] momenta,
        double learningRate, double momentum, double dampening, double weightDecay, bool isNesterov, bool isFirst)
    {
        using Scalar rate = learningRate.ToScalar(), mu = momentum.ToScalar(), damp = dampening.ToScalar(), decay = weightDecay.ToScalar();
        using Scalar nesterov = isNesterov.ToScalar(), first = isFirst.ToScalar();
        Unit.Value.invoke("sgd_", parameters, gradients, momenta, rate, mu, damp, decay, nesterov, first);
        GC.KeepAlive((parameters, gradients, momenta));
    }

    /// <summary>PyTorch's <c>_fused_adam_</c> or <c>_fused_adamw_</c>; <paramref name="step"/> counts from 1.</summary>
    public static void Adam(
        Tensor[] parameters, Tensor[] gradients, Tensor[] means, Tensor[] squares, Tensor[] largest, long step,
        double learningRate, double beta1, double beta2, double weightDecay, double epsilon, bool isDecoupled)
    {
        using Scalar rate = learningRate.ToScalar(), one = beta1.ToScalar(), two = beta2.ToScalar();
        using Scalar decay = weightDecay.ToScalar(), term = epsilon.ToScalar(), isAmsGrad = (largest.Length > 0).ToScalar();
        using var count = tensor((float)step, ScalarType.Float32, CPU);
        var steps = new Tensor[parameters.Length];
        Array.Fill(steps, count);
        Unit.Value.invoke(
            isDecoupled ? "adamw_" : "adam_", parameters, gradients, means, squares, largest, steps,
            rate, one, two, decay, term, isAmsGrad);
        GC.KeepAlive((parameters, gradients, means, squares, largest));
    }

    /// <summary>
    /// Tells autograd that the owners of empty views have changed. The fused kernels don't advance the owners' version counters, so that
    /// a backward pass through the old weights would give wrong gradients without an error.
    /// </summary>
    public static void Touch(Tensor[] empty)
    {
        Unit.Value.invoke("touch_", new object[] { empty });
        GC.KeepAlive(empty);
    }
}
