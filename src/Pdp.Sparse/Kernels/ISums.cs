using Pdp.Numerics.Kernels;

namespace Pdp.Sparse.Kernels;

/// <summary>The sums of neighbouring positions, in registers.</summary>
/// <typeparam name="TSelf">The block of sums.</typeparam>
/// <typeparam name="TLanes">The vector.</typeparam>
internal unsafe interface ISums<TSelf, TLanes>
    where TSelf : unmanaged, ISums<TSelf, TLanes>
    where TLanes : unmanaged, ILanes<TLanes>
{
    /// <summary>How many numbers it has.</summary>
    static abstract int Count { get; }

    /// <summary>Reads the sums.</summary>
    static abstract TSelf Load(float* source);

    /// <summary>sum + weight·x.</summary>
    static abstract TSelf Add(TSelf sum, float* x, TLanes weight);

    /// <summary>Writes the sums.</summary>
    void Store(float* target);
}
