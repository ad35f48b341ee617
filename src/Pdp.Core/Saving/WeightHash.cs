using System.Security.Cryptography;
using static TorchSharp.torch;

namespace Pdp.Saving;

/// <summary>Tells weights apart from others, bit for bit: the first half of their SHA-256.</summary>
internal static class WeightHash
{
    private const int Bytes = 16;

    /// <summary>The hash of weights, one behind the other, in hexadecimal digits; the same on every device.</summary>
    public static string Of(params IReadOnlyList<Tensor> weights)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var weight in weights)
            TensorBytes.ForEachPiece(weight, piece => hash.AppendData(piece));
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, Bytes));
    }

    /// <summary>Whether a text is a hash of this kind.</summary>
    public static bool IsOne(string text) => text.Length == 2 * Bytes && text.All(char.IsAsciiHexDigitLower);
}
