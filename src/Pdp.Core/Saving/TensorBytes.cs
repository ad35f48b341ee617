using static TorchSharp.torch;

namespace Pdp.Saving;

/// <summary>Gives access to the memory of tensors of any size, on any device, piece by piece.</summary>
internal static class TensorBytes
{
    /// <summary>The number of elements in a piece: 128 MiB of the largest type, the most that is copied at a time.</summary>
    private const long Piece = 1 << 24;

    /// <summary>Passes on the elements in their logical order; those of a contiguous tensor on the CPU may be written.</summary>
    public static void ForEachPiece(Tensor tensor, Action<Span<byte>> act)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var flat = tensor.reshape(-1);
        for (var start = 0L; start < flat.numel(); start += Piece)
        {
            using var piece = flat.narrow(0, start, Math.Min(Piece, flat.numel() - start)).cpu();
            act(piece.bytes);
        }
    }
}
