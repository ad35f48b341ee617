namespace Pdp.Numerics.Kernels;

/// <summary>Writes down the threshold and the scale of each weight of groups of M.</summary>
internal unsafe interface IGroupBoundaries
{
    /// <summary>The largest M: the tiles of longer groups would not fit the first-level cache.</summary>
    const int MostMembers = 32;

    /// <summary>Sets the weights removed of each group, and the temperature.</summary>
    void Set(int removed, Sharpness sharpness);

    /// <summary>Writes t and 1/√τ for each weight of so many blocks.</summary>
    void Write(float* weights, int blocks, float* thresholds, float* scales);
}
