namespace Pdp.Sparse.Kernels;

/// <summary>A job that nobody else has until this is disposed of.</summary>
/// <param name="Job">The job.</param>
internal readonly record struct JobLease(Job Job) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => Jobs.Return(Job);
}
