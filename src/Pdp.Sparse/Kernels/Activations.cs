namespace Pdp.Sparse.Kernels;

/// <summary>Applies an activation to a product's outputs.</summary>
internal static unsafe class Activations
{
    /// <summary>y = activation(y).</summary>
    /// <param name="activation">The function.</param>
    /// <param name="y">Numbers.</param>
    /// <param name="count">How many, a multiple of the kernel's least width.</param>
    public static void Apply(Activation activation, float* y, long count)
    {
        if (activation is Activation.Relu or Activation.Relu6)
            PanelKernels.Widest.ClampAll(y, count, activation == Activation.Relu6 ? 6 : float.PositiveInfinity);
        else if (activation == Activation.Gelu)
            PanelKernels.Widest.GeluAll(y, count);
    }
}
