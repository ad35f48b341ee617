using System.Runtime.CompilerServices;
using Pdp.Numerics.Kernels;

namespace Pdp.Sparse.Kernels;

/// <summary>An input whose positions lie side by side: pictures channel by channel, such as packed convolutions return.</summary>
internal sealed unsafe class PlanesInput : IInput
{
    private float* _x;
    private Planes _planes;

    /// <summary>Takes [pictures, inputs, positions].</summary>
    public IInput Set(float* x, Planes planes)
    {
        _x = x;
        _planes = planes;
        return this;
    }

    /// <inheritdoc/>
    public void Begin(Tile tile, int worker)
    {
    }

    /// <inheritdoc/>
    [MethodImpl(Compiled.AtOnce)]
    public void Fill(float* slab, int first, int count, Tile tile, int worker)
    {
        for (var done = 0; done < tile.Count;)
        {
            var (offset, length) = _planes.Part(tile.Start + done, tile.Count - done);
            var source = _x + offset + (first * _planes.RowStride);
            for (var row = 0; row < count; row++, source += _planes.RowStride)
                new ReadOnlySpan<float>(source, length).CopyTo(new Span<float>(slab + ((long)row * tile.Width) + done, length));
            done += length;
        }
    }
}
