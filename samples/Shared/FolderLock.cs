namespace Pdp.Samples;

/// <summary>Keeps a folder for one process; the lock ends with the process, however it ends.</summary>
internal sealed class FolderLock : IDisposable
{
    /// <summary>"It would block", on Linux, macOS and Windows.</summary>
    private static readonly int[] Held = [11, 35, unchecked((int)0x80070020)];

    private readonly FileStream _file;

    private FolderLock(FileStream file) => _file = file;

    /// <summary>Makes the folder if it is missing, and locks it.</summary>
    /// <exception cref="IOException">Another process has it, or it can't be written to.</exception>
    public static FolderLock Take(string folder) =>
        TryTake(folder)
        ?? throw new IOException($"Another process is working in '{folder}'. Wait until it has ended, or give another --out.");

    /// <summary>The same; null where another process has it.</summary>
    /// <exception cref="IOException">The folder can't be written to.</exception>
    public static FolderLock? TryTake(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            var path = Path.Combine(folder, ".lock");
            return new FolderLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException e) when (Held.Contains(e.HResult))
        {
            return null;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"'{folder}' can't be written to: {e.Message}", e);
        }
    }

    public void Dispose() => _file.Dispose();
}
