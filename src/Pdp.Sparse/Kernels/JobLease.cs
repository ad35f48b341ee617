namespace Pdp.Sparse.Kernels;

/// <summary>A job that no other call can use until this is disposed.</summary>
/// <param name="Pool">Where it came from.</param>
/// <param name="Job">The job.</param>
internal readonly record struct JobLease(Jobs Pool, Job Job) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => Pool.Return(Job);
}
