namespace Pdp.Samples.ImageNet.Data;

/// <summary>A set of pictures in batches: what each epoch consists of follows from seed and epoch alone.</summary>
internal interface IPictureBatches : IDisposable
{
    /// <summary>The pictures of an epoch.</summary>
    long Pictures { get; }

    /// <summary>The batches of an epoch.</summary>
    int Count { get; }

    /// <summary>
    /// The batches of an epoch in order, prepared ahead by worker threads; each is the caller's to dispose before the next is
    /// asked for.
    /// </summary>
    /// <param name="epoch">The epoch, from 0.</param>
    /// <param name="first">The batch to begin with, where a run continues in the middle of an epoch.</param>
    /// <exception cref="InvalidDataException">More than a few pictures can't be read.</exception>
    IEnumerable<PictureBatch> Epoch(int epoch, int first = 0);
}
