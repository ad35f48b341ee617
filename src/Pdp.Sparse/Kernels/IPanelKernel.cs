namespace Pdp.Sparse.Kernels;

/// <summary>The inner loops, in vectors of one width.</summary>
internal unsafe interface IPanelKernel
{
    /// <summary>How many numbers a vector holds.</summary>
    int Lanes { get; }

    /// <summary>The most positions that are computed at once; a power of two.</summary>
    int MostWidth { get; }

    /// <summary>The fewest positions that are computed at once; a power of two.</summary>
    int LeastWidth { get; }

    /// <summary>y += W·x for the rows of a panel.</summary>
    /// <param name="panel">W.</param>
    /// <param name="slab">x, [columns of the block, width].</param>
    /// <param name="y">[rows of the panel, width].</param>
    /// <param name="width">A power of two from <see cref="LeastWidth"/> to <see cref="MostWidth"/>.</param>
    void Multiply(Panel panel, float* slab, float* y, int width);

    /// <summary>y = min(max(y, 0), most); NaN stays NaN.</summary>
    /// <param name="y">Numbers.</param>
    /// <param name="count">How many, a multiple of the least width.</param>
    /// <param name="most">The upper bound.</param>
    void ClampAll(float* y, long count, float most);

    /// <summary>y = y·Φ(y).</summary>
    /// <param name="y">Numbers.</param>
    /// <param name="count">How many, a multiple of the least width.</param>
    void GeluAll(float* y, long count);

    /// <summary>y += x.</summary>
    void Add(float* y, float* x, int count);

    /// <summary>Sets all numbers of each row of y, [rows, width], to that row's value.</summary>
    void Spread(float* values, float* y, int rows, int width);

    /// <summary>Assembles a vector from parts of others, for each of several channels, with zeros where there is no part.</summary>
    /// <param name="source">The first channel.</param>
    /// <param name="sourceStride">From one channel to the next.</param>
    /// <param name="parts">Where the parts are.</param>
    /// <param name="number">How many parts there are.</param>
    /// <param name="target">The first vector.</param>
    /// <param name="targetStride">From one vector to the next.</param>
    /// <param name="channels">How many channels.</param>
    void Gather(float* source, long sourceStride, Part* parts, int number, float* target, long targetStride, int channels);
}
