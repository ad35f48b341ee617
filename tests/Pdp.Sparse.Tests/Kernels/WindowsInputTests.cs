using Pdp.Sparse.Kernels;

namespace Pdp.Sparse.Tests.Kernels;

public sealed unsafe class WindowsInputTests
{
    /// <summary>Eight of the nine elements of the only window lie in the padding, and have no inputs.</summary>
    [LinuxFact]
    public void Fill_OfPicturesOfOnePixel_ReadsNothingBeyondThem()
    {
        const int channels = 512;
        const int elements = 9;
        var axis = new ConvolutionAxis(1, Before: 1, After: 1);
        var geometry = new Geometry(channels, Height: 1, Width: 1, KernelHeight: 3, KernelWidth: 3, axis, axis);
        var tile = new Tile(0, Count: 1, Width: PanelKernels.Widest.Lanes);
        using var picture = new GuardedMemory(channels);
        using var slab = new Memory(channels * elements * tile.Width);
        for (var channel = 0; channel < channels; channel++)
            picture.Start[channel] = channel + 1;

        var windows = new WindowsInput().Set(picture.Start, 1, channelStride: 1, pictureStride: channels, geometry);
        windows.Begin(tile, worker: 0);
        windows.Fill(slab.Start, first: 0, channels * elements, tile, worker: 0);

        for (var row = 0; row < channels * elements; row++)
            Assert.Equal(row % elements == elements / 2 ? (row / elements) + 1 : 0, slab.Start[row * tile.Width]);
    }
}
