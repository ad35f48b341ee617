using Pdp.Reporting;
using Pdp.Training.Files;
using static TorchSharp.torch;

namespace Pdp.Sparse.Files;

/// <summary>Chooses how a tensor is stored, and takes it apart. It works in the caller's dispose scope.</summary>
internal static class TensorPacking
{
    /// <summary>The parts of a tensor by name; none if they take more than the tensor as it is.</summary>
    public static IReadOnlyList<(string Name, Tensor Tensor)> Pack(string name, Tensor tensor)
    {
        var width = SafetensorsType.Width(tensor.dtype);
        if (tensor.numel() * width < StoredBytes.LeastSaving)
            return [];

        var plain = RawTensor.Plain(tensor);
        var mask = MaskOf(plain, width);
        var count = Bitmask.Count(mask);
        return StoredBytes.IsPacked(plain.numel(), count, width)
            ? InGroups(name, plain, count) ?? InOrder(name, plain, mask, count)
            : [];
    }

    /// <summary>The bytes of what <see cref="Pack"/> gives, without packing.</summary>
    public static long BytesOf(Tensor tensor)
    {
        var width = SafetensorsType.Width(tensor.dtype);
        var plain = RawTensor.Plain(tensor);
        return StoredBytes.Of(plain.numel(), Bitmask.Count(MaskOf(plain, width)), width);
    }

    private static (string Name, Tensor Tensor)[] InOrder(string name, Tensor plain, byte[] mask, long count)
    {
        var elements = plain.numel();
        var places = StoredBytes.Bitmask(elements) <= StoredBytes.Positions(elements, count)
            ? (name + Parts.Bitmask, RawTensor.Of(mask))
            : (name + Parts.Positions, RawTensor.Of(Positions.Encode(mask, elements, count)));
        return [(name + Parts.Values, ValuesOf(plain, mask, [count])), places];
    }

    // Two of every four inputs take as many bytes as a bitmask, and need no counting to find a value.
    private static (string Name, Tensor Tensor)[]? InGroups(string name, Tensor plain, long count)
    {
        if (plain.dim() < 2 || plain.size(1) % 4 != 0 || count * 2 != plain.numel())
            return null;

        var inputsLast = plain.movedim([1], [-1]).contiguous();
        var mask = MaskOf(inputsLast, SafetensorsType.Width(plain.dtype));
        return TwoOfFour.Encode(mask, plain.numel()) is { } indices
            ?
            [
                (name + Parts.Values, ValuesOf(inputsLast, mask, [.. inputsLast.shape[..^1], inputsLast.shape[^1] / 2])),
                (name + Parts.Indices, RawTensor.Of(indices)),
            ]
            : null;
    }

    private static byte[] MaskOf(Tensor plain, int width)
    {
        var mask = Bitmask.Of(RawTensor.Bytes(plain), width);
        GC.KeepAlive(plain);
        return mask;
    }

    private static Tensor ValuesOf(Tensor plain, byte[] mask, long[] shape)
    {
        var values = RawTensor.Filled(
            shape,
            plain.dtype,
            packed => Bitmask.Gather(mask, RawTensor.Bytes(plain), SafetensorsType.Width(plain.dtype), packed));
        GC.KeepAlive(plain);
        return values;
    }
}
