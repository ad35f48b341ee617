namespace Pdp.Sparse.Kernels;

/// <summary>An input whose numbers lie side by side for each position, such as the tokens of a linear layer.</summary>
internal sealed unsafe class PositionsInput : IInput
{
    private float* _x;
    private long _stride;

    /// <summary>Takes [positions, inputs] with a stride from one position to the next.</summary>
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
