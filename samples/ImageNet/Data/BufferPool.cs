namespace Pdp.Samples.ImageNet.Data;

/// <summary>The memory of returned batches, kept for later ones; there is never more than was in use at once.</summary>
/// <param name="pixels">The numbers of a batch's pictures.</param>
/// <param name="labels">The pictures of a batch.</param>
internal sealed class BufferPool(int pixels, int labels)
{
    private readonly Stack<(float[] Pixels, long[] Labels)> _free = [];
    private int _rented;

    /// <summary>The buffers that have not been returned yet.</summary>
    public int Rented => Volatile.Read(ref _rented);

    public (float[] Pixels, long[] Labels) Rent()
    {
        lock (_free)
        {
            _rented++;
            return _free.TryPop(out var buffer) ? buffer : (GC.AllocateUninitializedArray<float>(pixels), new long[labels]);
        }
    }

    public void Return(float[] buffer, long[] classes)
    {
        lock (_free)
        {
            _rented--;
            _free.Push((buffer, classes));
        }
    }
}
