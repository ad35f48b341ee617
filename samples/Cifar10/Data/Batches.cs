using System.Runtime.InteropServices;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Cifar10;

/// <summary>
/// Cuts a set of pictures into normalised batches. Order, crops and flips follow from seed, epoch and picture alone.
/// </summary>
/// <param name="images">The pictures.</param>
/// <param name="size">The pictures of a batch.</param>
/// <param name="seed">Decides order, crops and flips.</param>
/// <param name="rank">Which share of each batch to cut, for training on several ranks.</param>
/// <param name="ranks">The shares of a batch.</param>
/// <param name="device">Where the batches go; the CPU if none is given.</param>
/// <param name="side">The side of the pictures that the network sees, a divisor of 32; crops are made before pictures shrink.</param>
internal sealed class Batches(
    ImageSet images, int size, long seed, int rank = 0, int ranks = 1, Device? device = null, int side = ImageSet.Side)
{
    private const int Padding = 4;
    private static readonly float[][] Normalised = [Table(0.485, 0.229), Table(0.456, 0.224), Table(0.406, 0.225)];

    private readonly int[] _unshuffled = [.. Enumerable.Range(0, images.Count)];
    private int[] _order = [];
    private int? _orderEpoch;

    public int Count => (images.Count + size - 1) / size;

    /// <summary>The pictures of the smallest batch, of all ranks together.</summary>
    public int Smallest => images.Count - ((Count - 1) * size);

    /// <summary>
    /// The weight of a share's mean, so that the mean of the shares is that of the batch: 1 where the shares are equal.
    /// </summary>
    public double Weight(int index) => Slice(_unshuffled, index).Length * (double)ranks / Math.Min(size, images.Count - (index * size));

    /// <summary>A batch of the shuffled epoch, or this rank's share of it, cropped and flipped; its tensors are the caller's.</summary>
    public (Tensor Pictures, Tensor Labels) Augmented(int epoch, int index)
    {
        if (_orderEpoch != epoch)
        {
            _order = Shuffle(epoch);
            _orderEpoch = epoch;
        }

        return Batch(Slice(_order, index), epoch);
    }

    /// <summary>A batch in the pictures' own order, as they are; its tensors are the caller's.</summary>
    public (Tensor Pictures, Tensor Labels) Plain(int index) => Batch(Slice(_unshuffled, index), epoch: null);

    private static float[] Table(double mean, double deviation) =>
        [.. Enumerable.Range(0, 256).Select(value => (float)(((value / 255.0) - mean) / deviation))];

    private ReadOnlySpan<int> Slice(int[] order, int index)
    {
        var batch = order.AsSpan(index * size, Math.Min(size, order.Length - (index * size)));
        return batch[(batch.Length * rank / ranks)..(batch.Length * (rank + 1) / ranks)];
    }

    private int[] Shuffle(int epoch)
    {
        var order = (int[])_unshuffled.Clone();
        var random = new SplitMix(seed, epoch, index: -1);
        for (var last = order.Length - 1; last > 0; last--)
        {
            var other = random.Below(last + 1);
            (order[last], order[other]) = (order[other], order[last]);
        }

        return order;
    }

    // The pictures' memory has the channels last, in which convolutions run fastest on a CPU; the shape is [batch, 3, side, side].
    private (Tensor Pictures, Tensor Labels) Batch(ReadOnlySpan<int> indices, int? epoch)
    {
        using var scope = NewDisposeScope();
        var pictures = empty(indices.Length, ImageSet.Side, ImageSet.Side, ImageSet.Channels);
        var labels = empty(indices.Length, dtype: ScalarType.Int64);
        var pixels = MemoryMarshal.Cast<byte, float>(pictures.bytes);
        var classes = MemoryMarshal.Cast<byte, long>(labels.bytes);
        for (var i = 0; i < indices.Length; i++)
        {
            Fill(indices[i], epoch, pixels.Slice(i * ImageSet.PictureSize, ImageSet.PictureSize));
            classes[i] = images.Labels[indices[i]];
        }

        GC.KeepAlive(labels);
        return (Shrunk(OnDevice(pictures).permute(0, 3, 1, 2)).MoveToOuterDisposeScope(), OnDevice(labels).MoveToOuterDisposeScope());
    }

    // Each pixel becomes the mean of those that it replaces.
    private Tensor Shrunk(Tensor pictures) =>
        side == ImageSet.Side ? pictures : functional.avg_pool2d(pictures, ImageSet.Side / side);

    private Tensor OnDevice(Tensor tensor) => device is null ? tensor : tensor.to(device);

    private void Fill(int index, int? epoch, Span<float> target)
    {
        var picture = images.Picture(index);
        var (top, left, flip) = (0, 0, false);
        if (epoch is { } number)
        {
            var random = new SplitMix(seed, number, index);
            top = random.Below((2 * Padding) + 1) - Padding;
            left = random.Below((2 * Padding) + 1) - Padding;
            flip = random.Below(2) == 1;
        }

        for (var channel = 0; channel < ImageSet.Channels; channel++)
        {
            var plane = picture.Slice(channel * ImageSet.PlaneSize, ImageSet.PlaneSize);
            FillPlane(plane, Normalised[channel], top, left, flip, target[channel..]);
        }
    }

    // As in the usual recipe, the padding is black before it is normalised, not zero after.
    private static void FillPlane(ReadOnlySpan<byte> plane, float[] table, int top, int left, bool flip, Span<float> target)
    {
        for (var y = 0; y < ImageSet.Side; y++)
        {
            for (var x = 0; x < ImageSet.Side; x++)
            {
                var row = y + top;
                var column = (flip ? ImageSet.Side - 1 - x : x) + left;
                var inside = (uint)row < ImageSet.Side && (uint)column < ImageSet.Side;
                target[((y * ImageSet.Side) + x) * ImageSet.Channels] = table[inside ? plane[(row * ImageSet.Side) + column] : 0];
            }
        }
    }
}
