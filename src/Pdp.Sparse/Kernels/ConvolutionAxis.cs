namespace Pdp.Sparse.Kernels;

/// <summary>How a convolution's window moves along one axis of the picture.</summary>
/// <param name="Stride">From one window to the next; at least 1.</param>
/// <param name="Before">The zeros before the first position.</param>
/// <param name="After">The zeros after the last one.</param>
/// <param name="Dilation">From one element of the window to the next; at least 1.</param>
internal readonly record struct ConvolutionAxis(int Stride, int Before = 0, int After = 0, int Dilation = 1)
{
    /// <summary>How many outputs a number of inputs gives with a window of so many elements; below 1 if it doesn't fit.</summary>
    public long Outputs(long inputs, long kernel)
    {
        var reach = inputs + Before + After - (Dilation * (kernel - 1)) - 1;
        return reach < 0 ? 0 : (reach / Stride) + 1;
    }
}
