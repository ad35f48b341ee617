using System.Globalization;
using Pdp.Training.Files;
using static TorchSharp.torch;

namespace Pdp.Sparse.Files;

/// <summary>The text metadata of a sparse file.</summary>
internal static class FileMetadata
{
    /// <summary>What the names of the file's own entries, and of its own tensors, begin with.</summary>
    public const string Own = "pdp.";

    private const string Format = Own + "sparse";
    private const string Version = Own + "version";
    private const string Sparsity = Own + "sparsity";
    private const string Values = Own + "values";
    private const string Hash = Own + "sha256";
    private const string Current = "1";

    /// <summary>What is written with a model.</summary>
    /// <param name="model">The model's tensors.</param>
    /// <param name="contents">The contents of the file.</param>
    /// <param name="rounded">The type that weights were rounded to; null if they were not.</param>
    public static IReadOnlyDictionary<string, string> Of(
        IReadOnlyDictionary<string, Tensor> model, FileContents contents, ScalarType? rounded)
    {
        var metadata = new SortedDictionary<string, string>(contents.Signatures.ToDictionary(), StringComparer.Ordinal)
        {
            [Format] = Current,
            [Version] = typeof(FileMetadata).Assembly.GetName().Version!.ToString(3),
            [Sparsity] = SparsityOf(model.Values).ToString("0.######", CultureInfo.InvariantCulture),
        };
        if (rounded is { } type)
            metadata[Values] = SafetensorsType.Name(type);
        metadata[Hash] = FileHash.Of(metadata, contents.Tensors);
        return metadata;
    }

    /// <summary>Whether the metadata are those of a sparse file.</summary>
    public static bool Is(IReadOnlyDictionary<string, string> metadata) => metadata.ContainsKey(Format) && metadata.ContainsKey(Hash);

    /// <summary>The signatures of the tensors that the file does not have under their names.</summary>
    /// <exception cref="FormatException">An entry is not a signature.</exception>
    public static IReadOnlyDictionary<string, Signature> Signatures(IReadOnlyDictionary<string, string> metadata) =>
        metadata.Where(entry => !IsOwn(entry.Key))
            .ToDictionary(entry => entry.Key, entry => Signature.Parse(entry.Key, entry.Value), StringComparer.Ordinal);

    /// <summary>Whether a name is reserved for the file's own entries and tensors.</summary>
    public static bool IsOwn(string name) => name.StartsWith(Own, StringComparison.Ordinal);

    /// <summary>The name of the type that weights were rounded to; null if they were not.</summary>
    public static string? RoundedTo(IReadOnlyDictionary<string, string> metadata) => metadata.GetValueOrDefault(Values);

    /// <summary>Checks that a file is a sparse file, and that it is unchanged since it was written.</summary>
    /// <exception cref="FormatException">It is not.</exception>
    public static void Require(IReadOnlyDictionary<string, string> metadata, IReadOnlyDictionary<string, Tensor> stored)
    {
        if (!Is(metadata))
            throw new FormatException($"is not a sparse file, whose metadata have '{Format}' and '{Hash}'; Safetensors reads any other");
        if (metadata[Format] != Current)
            throw new FormatException($"has the format {metadata[Format]}, where this version of Pdp.Sparse reads {Current}");
        if (FileHash.Of(metadata.Where(entry => entry.Key != Hash), stored) != metadata[Hash])
            throw new FormatException($"was changed since it was written: its hash is not the '{Hash}' of its metadata");
    }

    // Of the weights only: vectors, such as biases, are too small to count.
    private static double SparsityOf(IEnumerable<Tensor> tensors)
    {
        var (elements, zeros) = (0L, 0L);
        foreach (var weight in tensors.Where(tensor => tensor.dim() >= 2 && tensor.is_floating_point() && tensor.numel() > 0))
        {
            elements += weight.numel();
            zeros += weight.numel() - weight.count_nonzero().cpu().ReadCpuInt64(0);
        }

        return elements == 0 ? 0 : zeros / (double)elements;
    }
}
