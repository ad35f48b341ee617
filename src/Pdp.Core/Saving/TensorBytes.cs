using static TorchSharp.torch;

namespace Pdp.Saving;

/// <summary>The memory of tensors of any size, on any device, piece by piece.</summary>
internal static class TensorBytes
{
    /// <summary>The elements of a piece: of the largest type 128 MiB, which is all that is copied at a time.</summary>
    private const long Piece = 1 << 24;

    /// <summary>Hands out the elements in their logical order; on the CPU those of a contiguous tensor may be written.</summary>
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
