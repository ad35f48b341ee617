namespace Pdp.Numerics.Kernels;

/// <summary>The thresholds and temperatures of a pass. Structs implement it, so that the JIT compiles the loops for each of them.</summary>
internal interface IBoundary<TLanes>
    where TLanes : unmanaged, ILanes<TLanes>
{
    /// <summary>Whether the gradient has a temperature of its own.</summary>
    static abstract bool HasGradientScale { get; }

    /// <summary>Whether a pass adds up the <see cref="RadialSums"/>.</summary>
    static virtual bool HasSums => false;

    /// <summary>What the vector of weights that begins at a place competes by: w, or w times its importance.</summary>
    TLanes Competing(TLanes w, int place);

    /// <summary>t of the vector of weights that begins at a place.</summary>
    TLanes Threshold(int place);

    /// <summary>1/√τ of the vector of weights that begins at a place.</summary>
    TLanes Scale(int place);

    /// <summary>1/√τ of the gradient, for the vector of weights that begins at a place.</summary>
    TLanes GradientScale(int place);
}
