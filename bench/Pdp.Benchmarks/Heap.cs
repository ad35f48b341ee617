using System.Runtime.InteropServices;

namespace Pdp.Benchmarks;

/// <summary>
/// The bytes in use: native ones as glibc's allocator counts them, and managed ones. Unlike resident memory it knows no noise.
/// </summary>
internal static partial class Heap
{
    public static long InUse()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var info = MallInfo2();
        return (long)(info.InUse + info.Mapped) + GC.GetTotalMemory(forceFullCollection: true);
    }

    [LibraryImport("libc", EntryPoint = "mallinfo2")]
    private static partial MallInfo MallInfo2();

    // Fields by their order in <malloc.h>: uordblks, hblkhd.
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct MallInfo
    {
        private readonly nuint _arena, _freeChunks, _fastChunks, _mappedChunks;
        public readonly nuint Mapped;
        private readonly nuint _mostUsed, _fastBytes;
        public readonly nuint InUse;
        private readonly nuint _free, _top;
    }
}
