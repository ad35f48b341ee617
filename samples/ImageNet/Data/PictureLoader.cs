namespace Pdp.Samples.ImageNet.Data;

/// <summary>
/// Reads batches of a folder's pictures on threads of its own, which use no tensors. What a batch holds follows from seed, epoch
/// and its number, whatever the number of threads. One epoch at a time can be read.
/// </summary>
internal sealed class PictureLoader : IPictureBatches
{
    /// <summary>The batches that are ready or being filled at most, apart from the one that the caller has.</summary>
    public const int Ahead = 3;

    private const int Channels = 3;

    private readonly ImageFolder _folder;
    private readonly IViewer _viewer;
    private readonly int _batch;
    private readonly long _seed;
    private readonly bool _isShuffled;
    private readonly int _workers;
    private readonly Share _share;
    private readonly BufferPool _pool;
    private readonly DamagedPictures _damaged;
    private Prefetch? _running;
    private bool _isDisposed;

    private PictureLoader(
        ImageFolder folder, IViewer viewer, int batch, long seed, bool isShuffled, int workers, Action<string> report, Share share)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        (_folder, _viewer, _batch, _seed, _isShuffled, _workers, _share) = (folder, viewer, batch, seed, isShuffled, workers, share);
        _pool = new BufferPool(checked(batch * viewer.Side * viewer.Side * Channels), batch);
        _damaged = new DamagedPictures(folder.Count, report);
    }

    public long Pictures => _folder.Count;

    public int Count => _isShuffled ? _share.CompleteOf(_folder.Count / _batch) : _share.Of((_folder.Count + _batch - 1) / _batch);

    /// <summary>The batches' memory that is in use.</summary>
    internal int Rented => _pool.Rented;

    /// <summary>Shuffled pictures, each cropped and flipped at random. What is left of a batch at an epoch's end is left out.</summary>
    /// <param name="folder">The pictures.</param>
    /// <param name="batch">The pictures of a batch.</param>
    /// <param name="seed">Decides order, crops and flips.</param>
    /// <param name="workers">The threads.</param>
    /// <param name="report">Called on one of the threads with a line about each picture that can't be read.</param>
    /// <param name="side">Height and width of the crops after resizing.</param>
    /// <param name="share">The batches to read; all by default.</param>
    public static PictureLoader Training(
        ImageFolder folder, int batch, long seed, int workers, Action<string> report, int side = 224, Share? share = null) =>
        new(folder, new RandomResizedCrop(side), batch, seed, isShuffled: true, workers, report, share ?? Share.Whole);

    /// <summary>The pictures in the folder's order, the middle of each. The last batch may be smaller.</summary>
    /// <param name="folder">The pictures.</param>
    /// <param name="batch">The pictures of a batch.</param>
    /// <param name="workers">The threads.</param>
    /// <param name="report">Called on one of the threads with a line about each picture that can't be read.</param>
    /// <param name="side">Height and width of the middle.</param>
    /// <param name="resized">What the shorter side is resized to before.</param>
    /// <param name="share">The batches to read; all by default.</param>
    public static PictureLoader Validation(
        ImageFolder folder, int batch, int workers, Action<string> report, int side = 224, int resized = 256, Share? share = null) =>
        new(folder, new ResizedCentre(side, resized), batch, seed: 0, isShuffled: false, workers, report, share ?? Share.Whole);

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The batches of another epoch are still being enumerated.</exception>
    public IEnumerable<PictureBatch> Epoch(int epoch, int first = 0)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, Count);
        return Batches(epoch, first);
    }

    public void Dispose()
    {
        _isDisposed = true;
        _running?.Dispose();
    }

    private IEnumerable<PictureBatch> Batches(int epoch, int first)
    {
        using var prefetch = Start(epoch, first);
        try
        {
            for (var i = first; i < Count; i++)
            {
                yield return prefetch.Take();
            }
        }
        finally
        {
            _running = null;
        }
    }

    private Prefetch Start(int epoch, int first)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_running is not null)
        {
            throw new InvalidOperationException("The batches of another epoch are still being enumerated; end or dispose of that first.");
        }

        var pictures = new EpochPictures(_folder, _damaged, _seed, epoch, _isShuffled);
        return _running = new Prefetch(
            pictures, _share.IndexOf(first) * _batch, _viewer, _batch, _batch * _share.Ranks, Ahead, _workers, _pool);
    }
}
