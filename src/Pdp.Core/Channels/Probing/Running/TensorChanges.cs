using static TorchSharp.torch;

namespace Pdp.Channels.Probing.Running;

/// <summary>Compares tensors of the same shape.</summary>
internal static class TensorChanges
{
    /// <summary>The indices of a dimension at which two tensors differ anywhere.</summary>
    public static long[] Indices(Tensor before, Tensor after, int dimension)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return Nonzero(AnyAlong(before.ne(after), dimension));
    }

    /// <summary>The indices of a dimension at which a tensor is zero everywhere.</summary>
    public static long[] Zeros(Tensor values, int dimension)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return Nonzero(AnyAlong(values.to_type(ScalarType.Bool), dimension).logical_not());
    }

    private static Tensor AnyAlong(Tensor flags, int dimension) => flags.movedim([dimension], [0]).flatten(1).any(1, keepdim: false);

    private static long[] Nonzero(Tensor flags) => flags.nonzero().flatten().cpu().data<long>().ToArray();
}
