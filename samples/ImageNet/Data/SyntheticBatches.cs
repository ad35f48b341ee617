using System.Buffers;

namespace Pdp.Samples.ImageNet.Data;

/// <summary>
/// Pictures drawn in memory, stripes and noise, whose class shows in the stripes: for trying the program without data, and for
/// measuring speed without a disk.
/// </summary>
/// <param name="pictures">The pictures of an epoch.</param>
/// <param name="classes">Their classes, equally often.</param>
/// <param name="batch">The pictures of a batch.</param>
/// <param name="side">Their height and width.</param>
/// <param name="seed">Decides the noise and the order.</param>
/// <param name="isTraining">Whether the order changes with the epoch and an incomplete last batch is left out.</param>
/// <param name="share">The batches to draw; all by default.</param>
internal sealed class SyntheticBatches(
    int pictures, int classes, int batch, int side, int seed, bool isTraining, Share? share = null) : IPictureBatches
{
    private const int StripeBit = 8;
    private readonly Share _share = share ?? Share.Whole;

    public long Pictures => pictures;

    public int Count => isTraining ? _share.CompleteOf(pictures / batch) : _share.Of((pictures + batch - 1) / batch);

    public IEnumerable<PictureBatch> Epoch(int epoch, int first = 0)
    {
        var order = Order(epoch);
        for (var i = first; i < Count; i++)
        {
            var start = _share.IndexOf(i) * batch;
            var chosen = order.AsMemory(start, Math.Min(batch, pictures - start));
            yield return Draw(chosen.Span, epoch);
        }
    }

    public void Dispose()
    {
    }

    private int[] Order(int epoch)
    {
        var order = Enumerable.Range(0, pictures).ToArray();
        for (var i = isTraining ? pictures - 1 : 0; i > 0; i--)
        {
            var j = new SplitMix(seed, epoch, i).Below(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }

        return order;
    }

    private PictureBatch Draw(ReadOnlySpan<int> chosen, int epoch)
    {
        var size = side * side * 3;
        var (pixels, labels) = (ArrayPool<float>.Shared.Rent(chosen.Length * size), ArrayPool<long>.Shared.Rent(chosen.Length));
        for (var i = 0; i < chosen.Length; i++)
        {
            labels[i] = chosen[i] % classes;
            Draw(pixels.AsSpan(i * size, size), (int)labels[i],
                new Random(new SplitMix(seed, isTraining ? epoch : -1, chosen[i]).Below(int.MaxValue)));
        }

        return new PictureBatch(pixels, labels, chosen.Length, side, static (pixels, labels) =>
        {
            ArrayPool<float>.Shared.Return(pixels);
            ArrayPool<long>.Shared.Return(labels);
        });
    }

    // Stripes whose direction and width follow from the class, in a colour that does.
    private void Draw(Span<float> picture, int label, Random random)
    {
        var (across, down, colour) = (label % 11, label / 11 % 13, label % 3);
        for (var i = 0; i < picture.Length; i++)
        {
            var (x, y, channel) = (i / 3 % side, i / 3 / side, i % 3);
            var isStripe = channel == colour && (((x * across) + (y * down)) & StripeBit) != 0;
            picture[i] = (2 * random.NextSingle()) - 1 + (isStripe ? 1 : 0);
        }
    }
}
