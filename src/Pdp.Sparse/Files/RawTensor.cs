using static TorchSharp.torch;

namespace Pdp.Sparse.Files;

/// <summary>Tensors from bytes and bytes from tensors, in the caller's dispose scope.</summary>
internal static class RawTensor
{
    /// <summary>Writes the bytes of a tensor.</summary>
    public delegate void Filling(Span<byte> bytes);

    /// <summary>A tensor in the CPU's memory, without gaps.</summary>
    public static Tensor Plain(Tensor tensor) => tensor.detach().cpu().contiguous();

    /// <summary>The bytes of a plain tensor, which has to be kept alive; TorchSharp has none for an empty one.</summary>
    public static Span<byte> Bytes(Tensor plain) => plain.numel() == 0 ? [] : plain.bytes;

    /// <summary>A vector of bytes.</summary>
    public static Tensor Of(byte[] bytes) => Filled([bytes.Length], ScalarType.Byte, memory => bytes.CopyTo(memory));

    /// <summary>A new tensor with the bytes that are written to it.</summary>
    public static Tensor Filled(long[] shape, ScalarType type, Filling fill)
    {
        var filled = empty(shape, type, CPU);
        fill(Bytes(filled));
        GC.KeepAlive(filled);
        return filled;
    }
}
