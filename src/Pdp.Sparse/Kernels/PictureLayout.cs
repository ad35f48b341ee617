using static TorchSharp.torch;

namespace Pdp.Sparse.Kernels;

/// <summary>Where [pictures, channels, height, width] lies in memory.</summary>
/// <param name="Pictures">How many pictures there are.</param>
/// <param name="PictureStride">From one picture to the next.</param>
/// <param name="ChannelStride">From one channel to the next.</param>
/// <param name="RowStride">From one row to the next.</param>
/// <param name="ColumnStride">From one column to the next.</param>
internal readonly record struct PictureLayout(long Pictures, long PictureStride, long ChannelStride, long RowStride, long ColumnStride)
{
    /// <summary>Whether the channels of a position lie side by side.</summary>
    public bool IsChannelsLast => ChannelStride == 1 && ColumnStride != 1;

    /// <summary>Reads the layout of a tensor of two to four dimensions.</summary>
    /// <param name="input">The pictures.</param>
    /// <param name="axes">The axes of a picture, 1 or 2.</param>
    public static PictureLayout Of(Tensor input, int axes)
    {
        var (last, hasPictures) = ((int)input.dim() - 1, input.dim() == axes + 2);
        return new(
            hasPictures ? input.size(0) : 1,
            hasPictures ? input.stride(0) : 0,
            input.stride(last - axes),
            axes == 2 ? input.stride(last - 1) : 0,
            input.stride(last));
    }
}
