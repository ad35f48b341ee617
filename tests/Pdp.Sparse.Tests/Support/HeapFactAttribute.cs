using System.Runtime.InteropServices;

namespace Pdp.Tests.Support;

/// <summary>Skips a test, with a message, where the allocator can't tell the bytes in use.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class HeapFactAttribute : FactAttribute
{
    public HeapFactAttribute()
    {
        if (!NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), "mallinfo2", out _))
            Skip = "The test reads the bytes in use by mallinfo2, which glibc has from 2.33 on.";
    }
}
