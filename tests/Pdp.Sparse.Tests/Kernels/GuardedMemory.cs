using System.Runtime.InteropServices;

namespace Pdp.Sparse.Tests.Kernels;

/// <summary>Numbers that end where the process's memory does, on Linux: reading beyond them ends the process.</summary>
internal sealed unsafe class GuardedMemory : IDisposable
{
    private const int ReadAndWrite = 3;
    private const int Neither = 0;
    private const int PrivateAndAnonymous = 0x22;

    private readonly byte* _pages;
    private readonly nuint _length;

    public GuardedMemory(int count)
    {
        var page = (nuint)Environment.SystemPageSize;
        var used = (((nuint)count * sizeof(float)) + page - 1) / page * page;
        _length = used + page;
        _pages = (byte*)Map(0, _length, ReadAndWrite, PrivateAndAnonymous, -1, 0);
        Assert.NotEqual(-1, (nint)_pages);
        Assert.Equal(0, Protect((nint)(_pages + used), page, Neither));
        Start = (float*)(_pages + used) - count;
    }

    public float* Start { get; }

    public void Dispose() => _ = Unmap((nint)_pages, _length);

    [DllImport("libc", EntryPoint = "mmap"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [DllImport("libc", EntryPoint = "mprotect"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Protect(nint address, nuint length, int protection);

    [DllImport("libc", EntryPoint = "munmap"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Unmap(nint address, nuint length);
}
