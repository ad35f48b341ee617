using System.Runtime.CompilerServices;
using Pdp.Numerics.Kernels;

namespace Pdp.Sparse.Kernels;

/// <summary>An output whose positions lie side by side.</summary>
internal sealed unsafe class PlanesOutput : IOutput
{
    private float* _y;
    private float* _addend;
    private Planes _planes;

    /// <summary>Takes [pictures, outputs, positions], and what is added, if anything.</summary>
    public IOutput Set(float* y, float* addend, Planes planes)
    {
        _y = y;
        _addend = addend;
        _planes = planes;
        return this;
    }

    /// <inheritdoc/>
    [MethodImpl(Compiled.AtOnce)]
    public void AddTo(float* sums, int first, int rows, Tile tile)
    {
        if (_addend is null)
            return;
        for (var done = 0; done < tile.Count;)
        {
            var (offset, length) = _planes.Part(tile.Start + done, tile.Count - done);
            offset += first * _planes.RowStride;
            for (var row = 0; row < rows; row++, offset += _planes.RowStride)
                PanelKernels.Widest.Add(sums + ((long)row * tile.Width) + done, _addend + offset, length);
            done += length;
        }
    }

    /// <inheritdoc/>
    [MethodImpl(Compiled.AtOnce)]
    public void Write(float* sums, int first, int rows, Tile tile)
    {
        for (var done = 0; done < tile.Count;)
        {
            var (offset, length) = _planes.Part(tile.Start + done, tile.Count - done);
            offset += first * _planes.RowStride;
            for (var row = 0; row < rows; row++, offset += _planes.RowStride)
                new ReadOnlySpan<float>(sums + ((long)row * tile.Width) + done, length).CopyTo(new Span<float>(_y + offset, length));
            done += length;
        }
    }
}
