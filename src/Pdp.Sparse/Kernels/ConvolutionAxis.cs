namespace Pdp.Sparse.Kernels;

/// <summary>How a convolution's window moves along one axis of the picture.</summary>
/// <param name="Stride">The step from one window to the next; at least 1.</param>
/// <param name="Before">The zeros before the first position.</param>
/// <param name="After">The zeros after the last one.</param>
/// <param name="Dilation">The step from one element of the window to the next; at least 1.</param>
internal readonly record struct ConvolutionAxis(int Stride, int Before = 0, int After = 0, int Dilation = 1)
{
    /// <summary>How many outputs this many inputs give with a window of this many elements; below 1 if the window doesn't fit.</summary>
    public long Outputs(long inputs, long kernel)
    {
        var reach = inputs + Before + After - (Dilation * (kernel - 1)) - 1;
        return reach < 0 ? 0 : (reach / Stride) + 1;
    }
}
