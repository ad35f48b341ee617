namespace Pdp.Sparse.Kernels;

/// <summary>A job that no other call can use until this is disposed.</summary>
/// <param name="Job">The job.</param>
internal readonly record struct JobLease(Job Job) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => Jobs.Return(Job);
}
