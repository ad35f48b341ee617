using System.Runtime.ExceptionServices;

namespace Pdp.Samples.ImageNet.Data;

/// <summary>
/// Fills the batches of an epoch ahead of their use. Its threads take one picture after the other, so that all of them work on
/// the batch that is due first, and wait while enough batches are ready. Disposing stops them and returns the memory.
/// </summary>
internal sealed class Prefetch : IDisposable
{
    private readonly EpochPictures _pictures;
    private readonly IViewer _viewer;
    private readonly int _batch;
    private readonly int _stride;
    private readonly int _ahead;
    private readonly BufferPool _pool;
    private readonly Thread[] _threads;

    // The lock guards what follows; its pulse says that some of it changed.
    private readonly object _gate = new();
    private readonly Queue<PendingBatch> _pending = [];
    private PendingBatch? _open;
    private int _next;
    private Exception? _fault;
    private bool _isStopped;

    /// <param name="pictures">The epoch.</param>
    /// <param name="first">The place in it to begin at.</param>
    /// <param name="viewer">What is seen of each picture.</param>
    /// <param name="batch">The pictures of a batch.</param>
    /// <param name="stride">The places from the start of one batch to that of the next.</param>
    /// <param name="ahead">The most batches that are ready or being filled.</param>
    /// <param name="workers">The threads.</param>
    /// <param name="pool">The batches' memory.</param>
    public Prefetch(EpochPictures pictures, int first, IViewer viewer, int batch, int stride, int ahead, int workers, BufferPool pool)
    {
        (_pictures, _next, _viewer, _batch, _stride, _ahead, _pool) = (pictures, first, viewer, batch, stride, ahead, pool);
        _threads = [.. Enumerable.Range(0, workers).Select(_ => new Thread(Work) { IsBackground = true, Name = "Pictures" })];
        Array.ForEach(_threads, thread => thread.Start());
    }

    private bool IsOpenFull => _open is null || _open.Begun == _open.Count;

    /// <summary>The next batch, waiting for it if need be; the caller's to dispose.</summary>
    public PictureBatch Take()
    {
        lock (_gate)
        {
            while (_fault is null && !_isStopped && !(_pending.TryPeek(out var first) && first.Finished == first.Count))
            {
                Monitor.Wait(_gate);
            }

            if (_fault is not null)
            {
                ExceptionDispatchInfo.Throw(_fault);
            }

            ObjectDisposedException.ThrowIf(_isStopped, this);
            var ready = _pending.Dequeue();
            Monitor.PulseAll(_gate);
            return new PictureBatch(ready.Pixels, ready.Labels, ready.Count, _viewer.Side, _pool.Return);
        }
    }

    public void Dispose()
    {
        Stop(fault: null);
        Array.ForEach(_threads, thread => thread.Join());
        lock (_gate)
        {
            while (_pending.TryDequeue(out var batch))
            {
                _pool.Return(batch.Pixels, batch.Labels);
            }
        }
    }

    private void Work()
    {
        try
        {
            using var reader = new PictureReader(_viewer);
            while (Begin(out var index) is { } batch)
            {
                var size = batch.Pixels.Length / batch.Labels.Length;
                batch.Labels[index] = _pictures.Read(batch.Start + index, reader, batch.Pixels.AsSpan(index * size, size));
                Finish(batch);
            }
        }
        catch (Exception e)
        {
            // It is the consumer's to handle.
            Stop(e);
        }
    }

    private PendingBatch? Begin(out int index)
    {
        lock (_gate)
        {
            index = 0;
            while (!_isStopped && IsOpenFull && _next < _pictures.Count && _pending.Count >= _ahead)
            {
                Monitor.Wait(_gate);
            }

            if (_isStopped || (IsOpenFull && _next >= _pictures.Count))
            {
                return null;
            }

            var batch = IsOpenFull ? Open() : _open!;
            index = batch.Begun++;
            return batch;
        }
    }

    private PendingBatch Open()
    {
        var (pixels, labels) = _pool.Rent();
        _open = new PendingBatch(pixels, labels, _next, Math.Min(_batch, _pictures.Count - _next));
        _next += _stride;
        _pending.Enqueue(_open);
        return _open;
    }

    private void Finish(PendingBatch batch)
    {
        lock (_gate)
        {
            if (++batch.Finished == batch.Count)
            {
                Monitor.PulseAll(_gate);
            }
        }
    }

    private void Stop(Exception? fault)
    {
        lock (_gate)
        {
            _fault ??= fault;
            _isStopped = true;
            Monitor.PulseAll(_gate);
        }
    }
}
