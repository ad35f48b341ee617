using System.Formats.Tar;
using System.IO.Compression;

namespace Pdp.Samples.Cifar10;

/// <summary>Reads the files of a .tar.gz into memory. What the archive claims is believed only as far as its contents go.</summary>
internal static class DataArchive
{
    private const int TarMarkAt = 257;

    /// <exception cref="InvalidDataException">It is not such an archive, it is damaged, or what it holds is not CIFAR-10.</exception>
    public static List<DataFile> Read(string path)
    {
        using var file = File.OpenRead(path);
        RequireGzip(file, path);
        try
        {
            using var archive = new TarReader(new GZipStream(file, CompressionMode.Decompress));
            return Files(archive);
        }
        catch (Exception e) when (IsDamage(e))
        {
            throw new InvalidDataException(
                $"'{path}' is not a readable .tar.gz archive ({e.Message.TrimEnd('.')}); it is damaged: fetch it again.", e);
        }
    }

    private static List<DataFile> Files(TarReader archive)
    {
        var (files, names, limits) = (new List<DataFile>(), new HashSet<string>(StringComparer.Ordinal), new DataLimits());
        while (archive.GetNextEntry() is { } entry)
        {
            if (entry.EntryType == TarEntryType.Directory || !DataLimits.IsWanted(entry.Name))
            {
                continue;
            }

            RequirePlain(entry);
            Require(names.Add(entry.Name), $"it holds '{entry.Name}' twice");
            limits.Add(entry.Name, entry.Length);
            var bytes = Bytes(entry);
            files.Add(new DataFile(entry.Name, () => bytes));
        }

        return files;
    }

    // All that a TarReader throws at something that is not an archive.
    private static bool IsDamage(Exception error) => error
        is InvalidDataException or EndOfStreamException or InvalidOperationException or ArgumentException
        or FormatException or OverflowException;

    private static void RequirePlain(TarEntry entry)
    {
        Require(entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile,
            $"'{entry.Name}' is a {entry.EntryType}, not a file");
        Require(!Path.IsPathRooted(entry.Name) && !entry.Name.Split('/', '\\').Contains(".."), $"'{entry.Name}' leads out of it");
    }

    // The memory grows with what is read, not with the length that the entry claims.
    private static byte[] Bytes(TarEntry entry)
    {
        using var bytes = new MemoryStream();
        entry.DataStream?.CopyTo(bytes);
        Require(bytes.Length == entry.Length, $"'{entry.Name}' has {bytes.Length} of its {entry.Length} bytes");
        return bytes.ToArray();
    }

    private static void RequireGzip(FileStream file, string path)
    {
        var start = new byte[TarMarkAt + 5];
        var length = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        file.Position = 0;
        if (start is not [0x1F, 0x8B, ..])
        {
            var what = length == 0 ? "is empty"
                : start.AsSpan().StartsWith("PK"u8) ? "is a zip archive: unpack it and give the folder"
                : start.AsSpan(TarMarkAt).SequenceEqual("ustar"u8)
                    ? "is a tar archive that is not compressed: unpack it and give the folder"
                : "is not a .tar.gz archive of pictures";
            throw new InvalidDataException(
                $"'{path}' {what}. --data needs a folder or .tar.gz of pictures, or the official binary archive. {Cifar10Download.Hint}");
        }
    }

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new InvalidDataException(otherwise);
        }
    }
}
