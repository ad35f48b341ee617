using System.Runtime.InteropServices;

namespace Pdp.Sparse.Kernels;

/// <summary>The nonzeros of one row in one panel.</summary>
/// <param name="Place">The row's number within its panel.</param>
/// <param name="Count">How many nonzeros it has there.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct PackedRow(ushort Place, ushort Count);
