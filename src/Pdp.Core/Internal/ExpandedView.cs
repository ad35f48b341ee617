using static TorchSharp.torch;

namespace Pdp.Internal;

/// <summary>A view such as <c>expand</c> makes, in which several numbers share their memory. libtorch refuses to write into one.</summary>
internal static class ExpandedView
{
    /// <summary>Whether a tensor with memory is one.</summary>
    public static bool Is(Tensor tensor)
    {
        if (tensor.is_sparse || tensor.is_contiguous())
            return false;

        var (shape, strides) = (tensor.shape, tensor.stride());
        return Enumerable.Range(0, shape.Length).Any(i => shape[i] > 1 && strides[i] == 0);
    }
}
