using System.Text;

namespace Pdp.Training;

/// <summary>
/// Writes a temporary file, <c>NAME.part</c>, and renames it, so that neither a reader nor a crash ever sees a partial file. The file keeps
/// its permissions, and a symbolic link its target.
/// </summary>
public static class AtomicFile
{
    /// <summary>Writes a file and creates missing folders. If writing fails, an existing file stays as it was.</summary>
    /// <param name="path">The file.</param>
    /// <param name="write">Writes the contents to the stream that it gets; it may read them again, and close the stream.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="IOException">The file can't be written, or is being written by another thread or process.</exception>
    /// <exception cref="UnauthorizedAccessException">The process may not write there, or a folder has that name.</exception>
    /// <remarks>
    /// A file should have one writer. A second one fails while the first writes, but may slip in as the first renames its file.
    /// </remarks>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        var full = Target(Path.GetFullPath(path));
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        var part = full + ".part";

        // Of two writers the second fails here, and leaves the first one's file alone.
        var stream = new FileStream(part, FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        try
        {
            using (stream)
            {
                write(stream);
            }

            Flush(part);
            KeepMode(full, part);
            File.Move(part, full, overwrite: true);
        }
        catch
        {
            File.Delete(part);
            throw;
        }
    }

    /// <summary>Writes text in UTF-8, in the same way as <see cref="Write"/>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="text">The text.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="IOException">The file can't be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The process may not write there, or a folder has that name.</exception>
    public static void WriteText(string path, string text) =>
        Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));

    // A link stays a link: what it points to is replaced.
    private static string Target(string path) =>
        File.Exists(path) && File.ResolveLinkTarget(path, returnFinalTarget: true) is { } target ? target.FullName : path;

    // On the file rather than the stream, which a writer around it may have closed.
    private static void Flush(string part)
    {
        using var file = File.OpenHandle(part, FileMode.Open, FileAccess.Write);
        RandomAccess.FlushToDisk(file);
    }

    private static void KeepMode(string full, string part)
    {
        if (!OperatingSystem.IsWindows() && File.Exists(full))
        {
            File.SetUnixFileMode(part, File.GetUnixFileMode(full));
        }
    }
}
