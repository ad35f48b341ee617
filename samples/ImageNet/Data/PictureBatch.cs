namespace Pdp.Samples.ImageNet.Data;

/// <summary>Pictures ready for the network, with their classes; owns pooled memory until it is disposed.</summary>
/// <param name="pixels">The memory, at least <c>[count, 3, side, side]</c> numbers with the channels last: picture, row, column,
/// channel.</param>
/// <param name="labels">The classes, at least <paramref name="count"/>.</param>
/// <param name="count">The pictures.</param>
/// <param name="side">Their height and width.</param>
/// <param name="release">Takes the memory back.</param>
internal sealed class PictureBatch(float[] pixels, long[] labels, int count, int side, Action<float[], long[]> release) : IDisposable
{
    private bool _isDisposed;

    /// <summary>The pictures.</summary>
    public int Count => count;

    /// <summary>Height and width of each.</summary>
    public int Side => side;

    /// <summary>Normalised RGB: picture, row, column, channel.</summary>
    public ReadOnlySpan<float> Pixels => pixels.AsSpan(0, count * side * side * 3);

    /// <summary>The class of each picture.</summary>
    public ReadOnlySpan<long> Labels => labels.AsSpan(0, count);

    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            release(pixels, labels);
        }
    }
}
