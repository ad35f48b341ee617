using System.Runtime.InteropServices;

namespace Pdp.Sparse.Kernels;

/// <summary>Memory that grows to the largest length requested, and is freed when its owner is collected.</summary>
internal sealed unsafe class Scratch
{
    private float* _start;
    private long _length;

    /// <summary>Frees the memory.</summary>
    ~Scratch() => Free();

    /// <summary>Memory for this many numbers, aligned to 64 bytes. It keeps its contents until it grows, and is then all zeros.</summary>
    public float* Of(long length)
    {
        if (length <= _length)
            return _start;
        var bytes = checked((nuint)length * sizeof(float));
        Free();
        _start = (float*)NativeMemory.AlignedAlloc(bytes, 64);
        NativeMemory.Clear(_start, bytes);
        _length = length;
        return _start;
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_start);
        _start = null;
        _length = 0;
    }
}
