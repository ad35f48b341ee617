using System.Diagnostics.CodeAnalysis;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Sparse.Kernels;

/// <summary>Checks a product's arguments, since the kernels read memory without checks.</summary>
internal static class Require
{
    /// <summary>Float32 on the CPU.</summary>
    public static void Numbers(Tensor tensor, string name)
    {
        if (tensor.dtype != ScalarType.Float32 || tensor.device_type != DeviceType.CPU || tensor.is_sparse)
            Refuse(name, $"a dense Float32 tensor on the CPU is needed, not {tensor.dtype} on {tensor.device_type}");
    }

    /// <summary>Null, or float32 on the CPU in the shape of the result.</summary>
    public static void Addend(Tensor? addend, long[] shape)
    {
        if (addend is null)
            return;
        Numbers(addend, nameof(addend));
        if (!addend.shape.AsSpan().SequenceEqual(shape))
            Refuse(nameof(addend), $"its shape is [{string.Join(", ", addend.shape)}], that of the result is [{string.Join(", ", shape)}]");
    }

    /// <summary>Throws.</summary>
    [DoesNotReturn]
    public static void Refuse(string name, string reason) =>
        throw new ArgumentException($"The packed layer can't take the {name}: {reason}.", name);
}
