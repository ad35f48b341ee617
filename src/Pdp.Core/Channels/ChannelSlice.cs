namespace Pdp;

/// <summary>A part of a parameter or buffer that belongs to a group of channels.</summary>
/// <remarks>PerChannel u owns the indices [offset + u·block, offset + (u + 1)·block) of the dimension.</remarks>
/// <param name="Name">The parameter's or buffer's name.</param>
/// <param name="Dimension">The dimension along which the channels lie.</param>
/// <param name="Offset">The index of channel 0, above 0 where the reader sees several groups side by side.</param>
/// <param name="Block">The indices that one channel owns: more than 1 behind a flatten and in grouped convolutions.</param>
/// <param name="Role">What part the slice plays.</param>
public sealed record ChannelSlice(string Name, int Dimension, long Offset, long Block, ChannelRole Role)
{
    /// <summary>Whether a tensor of a shape has room for so many channels of the slice; no product or sum of the numbers is made, as it may overflow.</summary>
    internal bool IsInside(IReadOnlyList<long>? shape, long channels) =>
        shape is not null && Dimension >= 0 && Dimension < shape.Count && Block >= 1
        && Offset >= 0 && Offset <= shape[Dimension] && channels <= (shape[Dimension] - Offset) / Block;
}
