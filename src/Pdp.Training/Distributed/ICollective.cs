using static TorchSharp.torch;

namespace Pdp.Training;

/// <summary>
/// What the processes of a run, its ranks, do together. All ranks make the same calls in the same order, with tensors of the same shape and
/// type; a call returns when the others have made theirs.
/// </summary>
/// <remarks>
/// <see cref="MpiRanks"/> gives one of processes, <see cref="ThreadRanks"/> one of threads, <see cref="SingleRank"/> one for a run
/// without other ranks. A rank makes its calls one after another: if two of its threads call at once, one gets an error. No call is
/// allowed once the work has ended.
/// </remarks>
public interface ICollective
{
    /// <summary>The number of this rank, in [0, <see cref="Size"/>).</summary>
    int Rank { get; }

    /// <summary>The number of ranks, at least 1.</summary>
    int Size { get; }

    /// <summary>Replaces a tensor by the sum of the ranks' tensors, element by element; the same bits on every rank.</summary>
    /// <param name="tensor">Float32, float64 or int64, of any shape; contiguous CPU memory is summed in place, others via a copy.</param>
    /// <exception cref="ArgumentNullException"><paramref name="tensor"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// <paramref name="tensor"/> is of another type, sparse, on the meta device, or an expanded view.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// Another rank makes another call, or has ended, or another thread of this rank is in the middle of a call; the tensors are unchanged.
    /// </exception>
    void Sum(Tensor tensor);

    /// <summary>Replaces a tensor by that of one rank.</summary>
    /// <param name="tensor">Of any type and shape.</param>
    /// <param name="root">The rank whose tensor is kept, in [0, <see cref="Size"/>).</param>
    /// <exception cref="ArgumentNullException"><paramref name="tensor"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="root"/> is outside its range.</exception>
    /// <exception cref="ArgumentException"><paramref name="tensor"/> is sparse, on the meta device, or an expanded view.</exception>
    /// <exception cref="InvalidOperationException">As for <see cref="Sum"/>; the tensors are unchanged.</exception>
    void Broadcast(Tensor tensor, int root = 0);

    /// <summary>Waits until all ranks are here.</summary>
    /// <exception cref="InvalidOperationException">As for <see cref="Sum"/>.</exception>
    void Barrier();
}
