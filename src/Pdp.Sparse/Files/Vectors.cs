using Pdp.Training.Files;
using static TorchSharp.torch;

namespace Pdp.Sparse.Files;

/// <summary>
/// The tensors of at most one dimension that are not packed, such as biases and norms: one after another in the order of their names,
/// in a block for each type. An entry in the header for each would take more than most of them. It works in the caller's dispose scope.
/// </summary>
internal static class Vectors
{
    /// <summary>Whether a tensor that is not packed goes into a block.</summary>
    public static bool Include(Tensor tensor) => tensor.dim() < 2;

    /// <summary>The name of the block of a type.</summary>
    public static string BlockOf(ScalarType type) => FileMetadata.Own + SafetensorsType.Name(type);

    /// <summary>The blocks, by name.</summary>
    public static Dictionary<string, Tensor> Join(IEnumerable<KeyValuePair<string, Tensor>> vectors) =>
        vectors.OrderBy(entry => entry.Key, StringComparer.Ordinal)
            .GroupBy(entry => BlockOf(entry.Value.dtype), entry => RawTensor.Plain(entry.Value).reshape(-1))
            .ToDictionary(block => block.Key, block => cat([.. block]), StringComparer.Ordinal);

    /// <summary>The tensors, as views of their blocks.</summary>
    /// <exception cref="FormatException">The blocks are not those of these tensors.</exception>
    public static Dictionary<string, Tensor> Split(
        IEnumerable<KeyValuePair<string, Signature>> vectors, IReadOnlyDictionary<string, Tensor> stored) =>
        vectors.OrderBy(entry => entry.Key, StringComparer.Ordinal)
            .GroupBy(entry => entry.Value.Type)
            .SelectMany(type => Split(type.Key, [.. type], stored))
            .ToDictionary(StringComparer.Ordinal);

    private static IEnumerable<KeyValuePair<string, Tensor>> Split(
        ScalarType type, KeyValuePair<string, Signature>[] vectors, IReadOnlyDictionary<string, Tensor> stored)
    {
        if (!stored.TryGetValue(BlockOf(type), out var block) || block.dtype != type || block.dim() != 1)
            throw new FormatException($"has no vector '{BlockOf(type)}' for '{vectors[0].Key}', which its metadata name");

        var start = 0L;
        foreach (var (name, signature) in vectors)
        {
            var size = signature.Elements;
            if (size > block.numel() - start)
                throw new FormatException($"has a '{BlockOf(type)}' that ends before '{name}' does");
            yield return new(name, block.narrow(0, start, size).reshape(signature.Shape));
            start += size;
        }

        if (start != block.numel())
            throw new FormatException($"has a '{BlockOf(type)}' with {block.numel() - start} elements that belong to no tensor");
    }
}
