namespace Pdp.Sparse.Kernels;

/// <summary>Inputs of a position side by side: tokens of a linear layer, pictures with the channels last.</summary>
internal sealed unsafe class PositionsInput : IInput
{
    private float* _x;
    private long _stride;

    /// <summary>Takes [positions, inputs] with a distance from one position to the next.</summary>
    public IInput Set(float* x, long stride)
    {
        _x = x;
        _stride = stride;
        return this;
    }

    /// <inheritdoc/>
    public void Begin(Tile tile, int worker)
    {
    }

    /// <inheritdoc/>
    public void Fill(float* slab, int first, int count, Tile tile, int worker) =>
        Transposition.Run(_x + (tile.Start * _stride) + first, _stride, slab, tile.Width, tile.Count, count);
}
