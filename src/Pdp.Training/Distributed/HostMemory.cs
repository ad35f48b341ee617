using Pdp.Internal;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Training.Distributed;

/// <summary>Gives collectives the memory of tensors on the host.</summary>
internal static class HostMemory
{
    /// <summary>Runs an operation on the address of a tensor's elements; a tensor elsewhere, or with gaps, goes through a copy.</summary>
    public static void Change(Tensor tensor, Action<nint> operation)
    {
        if (tensor.numel() == 0)
        {
            return;
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        if (tensor.device_type == DeviceType.CPU && tensor.is_contiguous())
        {
            operation(TensorAddress.Of(tensor));
            GC.KeepAlive(tensor);
            return;
        }

        var copy = tensor.detach().cpu().contiguous();
        operation(TensorAddress.Of(copy));
        tensor.detach().copy_(copy);
    }

    /// <exception cref="ArgumentException">The type is not one that can be summed.</exception>
    public static void RequireSummable(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.dtype is not (ScalarType.Float32 or ScalarType.Float64 or ScalarType.Int64))
        {
            throw new ArgumentException($"Float32, float64 and int64 can be summed, not {tensor.dtype}.", nameof(tensor));
        }
    }

    /// <exception cref="ArgumentOutOfRangeException">There is no such rank.</exception>
    public static void RequireRank(Tensor tensor, int root, int size)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (root < 0 || root >= size)
        {
            throw Guard.Outside(nameof(root), root, $"[0, {size})");
        }
    }
}
