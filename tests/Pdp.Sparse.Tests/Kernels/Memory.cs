using System.Runtime.InteropServices;

namespace Pdp.Sparse.Tests.Kernels;

/// <summary>Zeroed numbers at a multiple of 64 bytes.</summary>
internal sealed unsafe class Memory(int count) : IDisposable
{
    public float* Start { get; } = Zeroed(count);

    public void Dispose() => NativeMemory.AlignedFree(Start);

    private static float* Zeroed(int count)
    {
        var start = NativeMemory.AlignedAlloc((nuint)count * sizeof(float), 64);
        NativeMemory.Clear(start, (nuint)count * sizeof(float));
        return (float*)start;
    }
}
