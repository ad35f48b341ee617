namespace Pdp.Numerics.Kernels;

/// <summary>Threshold and temperature of the weights of a pass; a struct, so that each kind gets code of its own.</summary>
internal interface IBoundary<TLanes>
    where TLanes : unmanaged, ILanes<TLanes>
{
    /// <summary>Whether the gradient has a temperature of its own.</summary>
    static abstract bool HasGradientScale { get; }

    /// <summary>t of the weights of a vector from a place on.</summary>
    TLanes Threshold(int place);

    /// <summary>1/√τ of the weights of a vector from a place on.</summary>
    TLanes Scale(int place);

    /// <summary>1/√τ of the gradient for the weights of a vector from a place on.</summary>
    TLanes GradientScale(int place);
}
