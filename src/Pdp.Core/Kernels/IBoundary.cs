using System.Runtime.Intrinsics;

namespace Pdp.Kernels;

/// <summary>Threshold and temperature of the weights of a pass; a struct, so that each kind gets code of its own.</summary>
internal interface IBoundary
{
    /// <summary>t of the sixteen weights from a place on.</summary>
    Vector512<float> Threshold(int place);

    /// <summary>1/√τ of the sixteen weights from a place on.</summary>
    Vector512<float> Scale(int place);
}
