using System.Runtime.InteropServices;

namespace Pdp.Samples.ImageNet.Data;

/// <summary>Memory outside the managed heap that is kept for the next use; owns it until disposed.</summary>
internal sealed unsafe class Scratch : IDisposable
{
    private void* _memory;
    private long _bytes;

    /// <summary>At least so many bytes; what they held before is lost.</summary>
    public byte* OfSize(long bytes)
    {
        if (bytes > _bytes)
        {
            Dispose();
            _memory = NativeMemory.Alloc((nuint)bytes);
            _bytes = bytes;
        }

        return (byte*)_memory;
    }

    public void Dispose()
    {
        NativeMemory.Free(_memory);
        _memory = null;
        _bytes = 0;
    }
}
