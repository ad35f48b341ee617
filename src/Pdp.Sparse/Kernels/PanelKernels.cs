using System.Runtime.Intrinsics;
using Pdp.Numerics.Kernels;

namespace Pdp.Sparse.Kernels;

/// <summary>The kernels for the processor's vectors.</summary>
internal static class PanelKernels
{
    /// <summary>The one for the widest vectors that the processor has.</summary>
    public static IPanelKernel Widest { get; } =
        Vector512.IsHardwareAccelerated ? new PanelKernel<Lanes512>()
            : Vector256.IsHardwareAccelerated ? new PanelKernel<Lanes256>()
            : new PanelKernel<Lanes128>();
}
