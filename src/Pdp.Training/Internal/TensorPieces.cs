using static TorchSharp.torch;

namespace Pdp.Training.Internal;

/// <summary>Parts of large tensors: TorchSharp can't give the bytes of 2 GiB at once.</summary>
internal static class TensorPieces
{
    /// <summary>Views of a contiguous tensor's elements, in their order, in the caller's dispose scope.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="length">The most elements of a view.</param>
    public static IEnumerable<Tensor> Of(Tensor tensor, long length = 1 << 26)
    {
        var flat = tensor.view(-1);
        for (var start = 0L; start < flat.numel(); start += length)
        {
            yield return flat.narrow(0, start, Math.Min(length, flat.numel() - start));
        }
    }
}
