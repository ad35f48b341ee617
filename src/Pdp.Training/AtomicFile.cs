using System.Text;

namespace Pdp.Training;

/// <summary>Writes a temporary file and renames it, so that neither a reader nor a crash ever sees a partial file.</summary>
public static class AtomicFile
{
    /// <summary>Writes a file and creates missing folders. If writing fails, an existing file stays as it was.</summary>
    /// <param name="path">The file.</param>
    /// <param name="write">Writes the contents to the stream that is passed to it, and leaves the stream open.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="IOException">The file can't be written.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        var full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        var part = full + ".part";
        try
        {
            using (var stream = new FileStream(part, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

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
    public static void WriteText(string path, string text) =>
        Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
}
