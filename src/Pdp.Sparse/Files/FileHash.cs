using System.Security.Cryptography;
using System.Text;
using Pdp.Training.Files;
using static TorchSharp.torch;

namespace Pdp.Sparse.Files;

/// <summary>The SHA-256 of everything in a sparse file, independent of the order in which it is stored.</summary>
internal static class FileHash
{
    /// <summary>
    /// The hash, in hexadecimal digits, of a line <c>KEY=TEXT</c> for each entry of the metadata and then, for each tensor, a line
    /// <c>NAME TYPE [2, 3]</c> and its bytes; both in the order of their names as UTF-16, lines in UTF-8 and ended by a line feed.
    /// </summary>
    public static string Of(IEnumerable<KeyValuePair<string, string>> metadata, IReadOnlyDictionary<string, Tensor> tensors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (key, text) in metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            hash.AppendData(Encoding.UTF8.GetBytes($"{key}={text}\n"));
        foreach (var (name, tensor) in tensors.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            Append(hash, name, tensor);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Append(IncrementalHash hash, string name, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        var plain = RawTensor.Plain(tensor);
        hash.AppendData(Encoding.UTF8.GetBytes($"{name} {SafetensorsType.Name(tensor.dtype)} [{string.Join(", ", tensor.shape)}]\n"));
        hash.AppendData(RawTensor.Bytes(plain));
        GC.KeepAlive(plain);
    }
}
