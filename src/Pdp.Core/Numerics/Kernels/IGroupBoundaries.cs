namespace Pdp.Numerics.Kernels;

/// <summary>Writes the threshold and the scale of each weight, for groups of M weights.</summary>
internal unsafe interface IGroupBoundaries
{
    /// <summary>The largest M. Tiles of longer groups would not fit in the first-level cache.</summary>
    const int MostMembers = 32;

    /// <summary>Sets how many weights of each group are removed, and the temperature.</summary>
    void Set(int removed, Sharpness sharpness);

    /// <summary>Writes t and 1/√τ for each weight of a number of blocks.</summary>
    void Write(float* weights, int blocks, float* thresholds, float* scales);
}
