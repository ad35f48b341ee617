using System.Runtime.CompilerServices;

namespace Pdp.Sparse.Kernels;

/// <summary>A convolution on inputs of one size.</summary>
/// <param name="Channels">The number of input channels.</param>
/// <param name="Height">The height of the picture.</param>
/// <param name="Width">Its width.</param>
/// <param name="KernelHeight">The height of the window.</param>
/// <param name="KernelWidth">Its width.</param>
/// <param name="Down">How the window moves downwards.</param>
/// <param name="Across">How the window moves to the right.</param>
/// <remarks>
/// Each row of a picture is split into phases, by column modulo the stride, so that the inputs of a row of windows lie side by side.
/// </remarks>
internal readonly record struct Geometry(
    int Channels, int Height, int Width, int KernelHeight, int KernelWidth, ConvolutionAxis Down, ConvolutionAxis Across)
{
    /// <summary>The height of the result.</summary>
    public int OutputHeight { get; } = checked((int)Down.Outputs(Height, KernelHeight));

    /// <summary>The width of the result.</summary>
    public int OutputWidth { get; } = checked((int)Across.Outputs(Width, KernelWidth));

    /// <summary>The number of elements of a window in one channel.</summary>
    public int Elements => KernelHeight * KernelWidth;

    /// <summary>The distance from one row of a phase to the next.</summary>
    public int PhaseWidth { get; } = (Width + Across.Stride - 1) / Across.Stride;

    /// <summary>How many numbers a phase has.</summary>
    public long PhaseSize => (long)Height * PhaseWidth;

    /// <summary>How many numbers a channel has.</summary>
    public long ChannelSize => PhaseSize * Across.Stride;

    /// <summary>Whether each window is a single input, and neighbouring windows are neighbouring inputs.</summary>
    public bool IsPointwise => Elements == 1 && Down == new ConvolutionAxis(1) && Across == new ConvolutionAxis(1);

    /// <summary>How many columns of a phase are in the picture.</summary>
    public int PhaseColumns(int phase) => (Width - phase + Across.Stride - 1) / Across.Stride;

    /// <summary>The phase that an element of the window falls in, and the offset from the window's number to its column there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public (int Columns, int Phase) Shift(int column)
    {
        var shift = (column * Across.Dilation) - Across.Before;
        var phase = ((shift % Across.Stride) + Across.Stride) % Across.Stride;
        return ((shift - phase) / Across.Stride, phase);
    }

    /// <summary>Whether any window has an element in a column of this phase.</summary>
    public bool UsesPhase(int phase)
    {
        for (var column = 0; column < KernelWidth; column++)
        {
            if ((phase + Across.Before - (column * Across.Dilation)) % Across.Stride == 0)
                return true;
        }

        return false;
    }

    /// <summary>Whether any window has an element in this row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool UsesRow(int row)
    {
        for (var at = 0; at < KernelHeight; at++)
        {
            if ((row + Down.Before - (at * Down.Dilation)) % Down.Stride == 0)
                return true;
        }

        return false;
    }
}
