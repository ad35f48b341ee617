using System.Security.Cryptography;
using System.Text;
using Pdp.Training;

namespace Pdp.Samples.Comparison;

/// <summary>Remembers what data a comparison ran on, so that its results are not taken for those of other data.</summary>
internal static class ComparedData
{
    private const string FileName = "data.sha256";

    /// <summary>Checks the data of a comparison against that of its earlier runs; remembers it if there were none.</summary>
    /// <param name="root">The folder of the comparison.</param>
    /// <param name="data">The file or folder of the data.</param>
    /// <exception cref="ArgumentException">The comparison ran on other data before.</exception>
    public static void Require(string root, string data)
    {
        var (path, mark) = (Path.Combine(root, FileName), MarkOf(data));
        if (!File.Exists(path))
        {
            AtomicFile.WriteText(path, mark + "\n");
        }
        else if (File.ReadAllText(path).Trim() != mark)
        {
            throw new ArgumentException($"'{root}' holds results of other data than '{data}': give another --out, or delete the folder.");
        }
    }

    // Of a folder, names and lengths: it may hold a picture a file.
    private static string MarkOf(string data) => Directory.Exists(data)
        ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', Files(data).Order(StringComparer.Ordinal)))))
        : FileHash.Of(data)!;

    private static IEnumerable<string> Files(string folder) => new DirectoryInfo(folder)
        .EnumerateFiles("*", SearchOption.AllDirectories)
        .Select(file => $"{file.Length} {Path.GetRelativePath(folder, file.FullName)}");
}
