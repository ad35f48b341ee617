using static TorchSharp.torch;

namespace Pdp.Saving;

/// <summary>Numbers as text, bit for bit: their bytes in logical order, as hashed bytes.</summary>
internal static class PackedNumbers
{
    public static string Pack(Tensor numbers)
    {
        var bytes = new byte[checked(numbers.numel() * numbers.element_size())];
        var position = 0;
        TensorBytes.ForEachPiece(numbers, piece =>
        {
            piece.CopyTo(bytes.AsSpan(position));
            position += piece.Length;
        });
        return HashedBytes.Encode(bytes);
    }

    /// <summary>Reads so many numbers of a type; null if the text is not that, bit for bit.</summary>
    /// <returns><c>[count]</c> on the CPU; the caller's.</returns>
    public static Tensor? Unpack(string text, long count, ScalarType type)
    {
        var numbers = zeros([count], type, CPU);
        var bytes = HashedBytes.Decode(text, count * numbers.element_size());
        if (bytes is null)
        {
            numbers.Dispose();
            return null;
        }

        var position = 0;
        TensorBytes.ForEachPiece(numbers, piece =>
        {
            bytes.AsSpan(position, piece.Length).CopyTo(piece);
            position += piece.Length;
        });
        return numbers;
    }
}
