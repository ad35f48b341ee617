using System.Runtime.InteropServices;
using Pdp.Samples.ImageNet.Data;
using static TorchSharp.torch;

namespace Pdp.Samples.ImageNet.Training;

/// <summary>Batches of pictures as tensors.</summary>
internal static class PictureTensors
{
    /// <summary>Copies a batch out of its pooled memory onto a device.</summary>
    /// <returns><c>[count, 3, side, side]</c>, channels last in memory, which convolutions prefer, and <c>[count]</c> classes.</returns>
    public static (Tensor Pictures, Tensor Labels) Of(PictureBatch batch, Device device)
    {
        using var scope = NewDisposeScope();
        var pictures = empty([batch.Count, batch.Side, batch.Side, 3], ScalarType.Float32);
        batch.Pixels.CopyTo(MemoryMarshal.Cast<byte, float>(pictures.bytes));
        GC.KeepAlive(pictures);
        var labels = empty([batch.Count], ScalarType.Int64);
        batch.Labels.CopyTo(MemoryMarshal.Cast<byte, long>(labels.bytes));
        GC.KeepAlive(labels);
        return (pictures.to(device).permute(0, 3, 1, 2).MoveToOuterDisposeScope(), labels.to(device).MoveToOuterDisposeScope());
    }
}
