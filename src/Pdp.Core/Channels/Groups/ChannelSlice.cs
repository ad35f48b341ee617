namespace Pdp;

/// <summary>A part of a parameter or buffer that belongs to a group of channels.</summary>
/// <remarks>Channel u owns the indices [offset + u·block, offset + (u + 1)·block) of the dimension.</remarks>
/// <param name="Name">The parameter's or buffer's name.</param>
/// <param name="Dimension">The dimension along which the channels lie.</param>
/// <param name="Offset">The index where channel 0 starts; above 0 if the reader sees several groups concatenated.</param>
/// <param name="Block">The number of indices that one channel owns; more than 1 after a flatten and in grouped convolutions.</param>
/// <param name="Role">The role of the slice.</param>
public sealed record ChannelSlice(string Name, int Dimension, long Offset, long Block, ChannelRole Role)
{
    /// <summary>Whether the slice holds numbers that are added to the channels: biases, shifts and running means.</summary>
    internal bool IsShift =>
        Role is ChannelRole.Bias
        || (Role is ChannelRole.Norm or ChannelRole.Follower
            && (Name.EndsWith("bias", StringComparison.Ordinal) || Name.EndsWith("running_mean", StringComparison.Ordinal)));

    /// <summary>
    /// Whether a shape has room for this number of channels of the slice. It avoids products and sums of the numbers, which may overflow.
    /// </summary>
    internal bool IsInside(IReadOnlyList<long>? shape, long channels) =>
        shape is not null && Dimension >= 0 && Dimension < shape.Count && Block >= 1
        && Offset >= 0 && Offset <= shape[Dimension] && channels <= (shape[Dimension] - Offset) / Block;
}
