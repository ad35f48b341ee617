namespace Pdp.Numerics.Kernels;

/// <summary>Work in numbered pieces that may run at the same time and in any order.</summary>
internal interface IParallelWork
{
    /// <summary>Does one piece; must not throw.</summary>
    /// <param name="piece">The number of the piece.</param>
    /// <param name="worker">The number of the worker, 0 for the caller; a worker does one piece at a time.</param>
    void Run(int piece, int worker);
}
