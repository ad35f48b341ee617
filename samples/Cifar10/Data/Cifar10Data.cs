using System.Formats.Tar;
using System.IO.Compression;

namespace Pdp.Samples.Cifar10;

/// <summary>
/// CIFAR-10, from a folder or .tar.gz of pictures (<c>train/&lt;class&gt;/*.jpg</c>, <c>test/&lt;class&gt;/*.jpg</c>) or from the
/// official binary archive, packed or unpacked. Classes are in alphabetical order, which is the official one.
/// </summary>
internal sealed record Cifar10Data(ImageSet Train, ImageSet Test)
{
    /// <summary>Reads the data; which of the four forms it has is seen from its contents.</summary>
    /// <exception cref="InvalidDataException">Something is missing, damaged or of the wrong size.</exception>
    public static Cifar10Data Load(string path)
    {
        var files = Directory.Exists(path) ? Folder(path)
            : File.Exists(path) ? Archive(path)
            : throw new FileNotFoundException($"There is no folder or archive '{path}'. {Cifar10Download.Hint}", path);
        return BinaryBatches.Recognise(files) ? BinaryBatches.Read(files, path) : PictureFiles.Read(files, path);
    }

    private static List<DataFile> Folder(string path)
    {
        var files = Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Where(IsWanted);
        return [.. files.Select(file => new DataFile(RelativeName(file), () => File.ReadAllBytes(file)))];

        string RelativeName(string file) => Path.GetRelativePath(path, file).Replace('\\', '/');
    }

    private static List<DataFile> Archive(string path)
    {
        var files = new List<DataFile>();
        try
        {
            using var archive = new TarReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
            while (archive.GetNextEntry() is { } entry)
            {
                if (entry.DataStream is not null && IsWanted(entry.Name))
                {
                    var bytes = new byte[entry.Length];
                    entry.DataStream.ReadExactly(bytes);
                    files.Add(new DataFile(entry.Name, () => bytes));
                }
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new InvalidDataException($"'{path}' is no readable .tar.gz archive ({e.Message}); fetch it anew.", e);
        }

        return files;
    }

    // A leading dot marks what is no data, such as the "._" files that macOS puts into archives.
    private static bool IsWanted(string name) =>
        !Path.GetFileName(name).StartsWith('.')
        && Path.GetExtension(name).ToUpperInvariant() is ".BIN" or ".JPG" or ".JPEG" or ".PNG";
}
