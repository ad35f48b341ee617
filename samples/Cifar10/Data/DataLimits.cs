namespace Pdp.Samples.Cifar10;

/// <summary>Refuses data far larger than CIFAR-10 before memory is taken for them.</summary>
internal sealed class DataLimits
{
    private const long LargestBatch = 64 << 20;
    private const long LargestPicture = 1 << 20;
    private const long LargestInAll = 1 << 30;
    private const int MostFiles = 200_000;
    private long _bytes;
    private int _files;

    /// <summary>Whether a file is data. A leading dot marks one that isn't, such as the "._" files that macOS puts into archives.</summary>
    public static bool IsWanted(string name) => !Path.GetFileName(name).StartsWith('.') && (IsBatch(name) || IsPicture(name));

    /// <summary>Counts a file.</summary>
    /// <exception cref="InvalidDataException">It is too large, or one too many.</exception>
    public void Add(string name, long length)
    {
        var most = IsBatch(name) ? LargestBatch : LargestPicture;
        if (length < 0 || length > most)
        {
            throw new InvalidDataException($"'{name}' has {length} bytes, and no such file of CIFAR-10 has more than {most}");
        }

        _bytes += length;
        if (++_files > MostFiles || _bytes > LargestInAll)
        {
            throw new InvalidDataException($"there are more than {MostFiles} files or {LargestInAll} bytes, which is not CIFAR-10");
        }
    }

    private static bool IsBatch(string name) => Path.GetExtension(name).Equals(".bin", StringComparison.OrdinalIgnoreCase);

    private static bool IsPicture(string name) => Path.GetExtension(name).ToUpperInvariant() is ".JPG" or ".JPEG" or ".PNG";
}
