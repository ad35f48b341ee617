using System.Security.Cryptography;
using static TorchSharp.torch;

namespace Pdp.Saving;

/// <summary>Identifies weights bit for bit, by the first half of their SHA-256.</summary>
internal static class WeightHash
{
    private const int Bytes = 16;

    /// <summary>The hash of the concatenated weights, in hexadecimal digits; the same on every device.</summary>
    public static string Of(params IReadOnlyList<Tensor> weights)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var weight in weights)
            TensorBytes.ForEachPiece(weight, piece => hash.AppendData(piece));
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, Bytes));
    }

    /// <summary>Whether a string has the form of such a hash.</summary>
    public static bool IsOne(string text) => text.Length == 2 * Bytes && text.All(char.IsAsciiHexDigitLower);
}
