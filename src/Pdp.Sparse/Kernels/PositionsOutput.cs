using System.Runtime.CompilerServices;
using Pdp.Numerics.Kernels;

namespace Pdp.Sparse.Kernels;

/// <summary>An output whose numbers lie side by side for each position.</summary>
internal sealed unsafe class PositionsOutput : IOutput
{
    private float* _y;
    private float* _addend;
    private long _stride;

    /// <summary>Takes [positions, outputs], and what is added, if anything.</summary>
    public IOutput Set(float* y, float* addend, long stride)
    {
        _y = y;
        _addend = addend;
        _stride = stride;
        return this;
    }

    /// <inheritdoc/>
    [MethodImpl(Compiled.AtOnce)]
    public void AddTo(float* sums, int first, int rows, Tile tile)
    {
        if (_addend is null)
            return;
        for (var i = 0; i < tile.Count; i++)
        {
            var addend = _addend + ((tile.Start + i) * _stride) + first;
            for (var row = 0; row < rows; row++)
                sums[(row * tile.Width) + i] += addend[row];
        }
    }

    /// <inheritdoc/>
    public void Write(float* sums, int first, int rows, Tile tile)
    {
        var y = _y + (tile.Start * _stride) + first;
        if (tile.Width == 1)
            new ReadOnlySpan<float>(sums, rows).CopyTo(new Span<float>(y, rows));
        else
            Transposition.Run(sums, tile.Width, y, _stride, rows, tile.Count);
    }
}
