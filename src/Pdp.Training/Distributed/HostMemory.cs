using Pdp.Internal;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Training.Distributed;

/// <summary>Gives collectives the memory of tensors on the host.</summary>
internal static class HostMemory
{
    /// <summary>
    /// Runs an operation on the address of a tensor's elements. A tensor that is elsewhere, has gaps, or is a conjugate or negative view
    /// goes through a copy.
    /// </summary>
    public static void Change(Tensor tensor, Action<nint> operation)
    {
        if (tensor.numel() == 0)
        {
            return;
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        if (tensor.device_type == DeviceType.CPU && tensor.is_contiguous() && !tensor.is_conj() && !tensor.is_neg())
        {
            operation(TensorAddress.Of(tensor));
            GC.KeepAlive(tensor);
            return;
        }

        var copy = Plain(tensor);
        operation(TensorAddress.Of(copy));
        tensor.detach().copy_(copy);
    }

    /// <summary>The numbers of a tensor on the host, one after another, as the tensor reads them: a new tensor, or the same.</summary>
    public static Tensor Plain(Tensor tensor) => tensor.detach().cpu().resolve_conj().resolve_neg().contiguous();

    /// <summary>Why a tensor has no numbers of its own to change, in words that follow its name; null if it has.</summary>
    public static string? ObstacleOf(Tensor tensor) =>
        tensor.is_sparse ? "is sparse: use its to_dense()."
        : tensor.device_type == DeviceType.META ? "is on the meta device and has no numbers, as in a packed model."
        : ExpandedView.Is(tensor) ? "is an expanded view, whose numbers share their memory: use its contiguous()."
        : null;

    /// <exception cref="ArgumentException">The tensor is not one that can be summed.</exception>
    public static void RequireSummable(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        RequireNumbers(tensor);
        if (tensor.dtype is not (ScalarType.Float32 or ScalarType.Float64 or ScalarType.Int64))
        {
            throw new ArgumentException($"Float32, float64 and int64 can be summed, not {tensor.dtype}.", nameof(tensor));
        }
    }

    /// <exception cref="ArgumentException">The tensor is not one that can be written to.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such rank.</exception>
    public static void RequireRank(Tensor tensor, int root, int size)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        RequireNumbers(tensor);
        if (root < 0 || root >= size)
        {
            throw Guard.Outside(nameof(root), root, $"[0, {size})");
        }
    }

    private static void RequireNumbers(Tensor tensor)
    {
        if (ObstacleOf(tensor) is { } obstacle)
        {
            throw new ArgumentException($"The tensor {obstacle}", nameof(tensor));
        }
    }
}
