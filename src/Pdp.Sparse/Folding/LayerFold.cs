using Pdp.Sparse.Kernels;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Folding;

/// <summary>What a layer does besides its product: the batch norm and the activation that follow it.</summary>
/// <param name="Norm">The batch norm; null if none is folded.</param>
/// <param name="Activation">The activation; null if none is folded.</param>
internal sealed record LayerFold(FoldedModule? Norm, FoldedModule? Activation)
{
    /// <summary>Nothing.</summary>
    public static readonly LayerFold None = new(null, null);

    /// <summary>The modules that have nothing left to do, in the order of their calls.</summary>
    public FoldedModule[] Followers { get; } = [.. new[] { Norm, Activation }.OfType<FoldedModule>()];

    /// <summary>Whether nothing is folded.</summary>
    public bool IsNone => Followers.Length == 0;

    /// <summary>What the kernel does last.</summary>
    public Activation Kind => Activation is null ? Kernels.Activation.None : ActivationOf(Activation.Module)!.Value;

    /// <summary>The activation that a module is; null if the kernels have none like it.</summary>
    public static Activation? ActivationOf(Module module) => module switch
    {
        TorchSharp.Modules.ReLU => Kernels.Activation.Relu,
        TorchSharp.Modules.ReLU6 => Kernels.Activation.Relu6,
        TorchSharp.Modules.GELU { approximate: TorchSharp.Modules.GELU.Approximate.none } => Kernels.Activation.Gelu,
        _ => null,
    };

    /// <summary>Whether a module is a batch norm that is a fixed scale and shift in evaluation mode.</summary>
    public static bool IsNorm(Module module) =>
        module is TorchSharp.Modules.BatchNorm { training: false, running_mean: { } mean, running_var: not null }
        && mean.dtype == ScalarType.Float32 && mean.device_type == TorchSharp.DeviceType.CPU;

    /// <summary>What the norm multiplies each output by; null if none is folded.</summary>
    public double[]? Scales()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return Norm is null ? null : new NormConstants((TorchSharp.Modules.BatchNorm)Norm.Module).Scale.data<double>().ToArray();
    }

    /// <summary>
    /// The weight and the bias with the norm in them, both the caller's: W' = s·W and b' = s·(b − μ) + β with
    /// s = γ / √(σ² + ε).
    /// </summary>
    public (Tensor Weight, Tensor? Bias) Apply(Tensor weight, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        if (Norm is null)
            return (weight.detach().MoveToOuterDisposeScope(), bias?.detach().MoveToOuterDisposeScope());
        var norm = new NormConstants((TorchSharp.Modules.BatchNorm)Norm.Module);
        var scale = norm.Scale.view([-1, .. Enumerable.Repeat(1L, (int)weight.dim() - 1)]);
        var scaled = weight.detach().to_type(ScalarType.Float64).mul(scale).to_type(ScalarType.Float32);
        return (scaled.MoveToOuterDisposeScope(), norm.Shift(bias).to_type(ScalarType.Float32).MoveToOuterDisposeScope());
    }
}
