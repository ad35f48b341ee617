using Pdp.Samples.Bert.Network;
using static TorchSharp.torch;

namespace Pdp.Samples.Bert.Text;

/// <summary>Cuts encoded texts into batches, each padded to its longest text.</summary>
/// <remarks>
/// Texts of about the same length come together, as padding costs time: a shuffled epoch is cut into chunks of batches, each is sorted by
/// length, and the batches are shuffled again. The order follows from the seed and the epoch alone.
/// </remarks>
/// <param name="texts">The texts.</param>
/// <param name="labels">Their classes.</param>
/// <param name="size">The texts of a batch.</param>
/// <param name="padding">The token that fills short texts.</param>
/// <param name="seed">The seed of the order.</param>
/// <param name="device">Where the batches go; the CPU if none is given.</param>
internal sealed class TextBatches(
    IReadOnlyList<EncodedText> texts, IReadOnlyList<int> labels, int size, int padding, long seed, Device? device = null)
{
    /// <summary>The batches among which texts are sorted.</summary>
    private const int Chunk = 32;

    private int[][] _shuffled = [];
    private int? _epoch;

    /// <summary>The number of batches.</summary>
    public int Count => (texts.Count + size - 1) / size;

    /// <summary>The number of texts.</summary>
    public int Texts => texts.Count;

    /// <summary>A batch of a shuffled epoch; its tensors are the caller's.</summary>
    public (TokenBatch Batch, Tensor Labels) Shuffled(int epoch, int index)
    {
        if (_epoch != epoch)
        {
            (_shuffled, _epoch) = (Shuffle(epoch), epoch);
        }

        return Batch(_shuffled[index]);
    }

    /// <summary>A batch of the texts by length, the shortest first, for evaluation; its tensors are the caller's.</summary>
    public (TokenBatch Batch, Tensor Labels) ByLength(int index) =>
        Batch([.. Enumerable.Range(0, texts.Count).OrderBy(text => texts[text].Tokens.Length).Skip(index * size).Take(size)]);

    private int[][] Shuffle(int epoch)
    {
        var random = new SplitMix(seed, epoch, index: -1);
        int[] order = [.. Enumerable.Range(0, texts.Count)];
        random.Shuffle(order);
        int[][] batches = [.. order.Chunk(Chunk * size).SelectMany(chunk => chunk.OrderBy(text => texts[text].Tokens.Length).Chunk(size))];
        random.Shuffle(batches);
        return batches;
    }

    private (TokenBatch Batch, Tensor Labels) Batch(int[] chosen)
    {
        var length = chosen.Max(text => texts[text].Tokens.Length);
        var (tokens, segments) = (new long[chosen.Length, length], new long[chosen.Length, length]);
        var isText = new bool[chosen.Length, length];
        foreach (var (row, text) in chosen.Index())
        {
            var encoded = texts[text];
            for (var place = 0; place < length; place++)
            {
                isText[row, place] = place < encoded.Tokens.Length;
                tokens[row, place] = isText[row, place] ? encoded.Tokens[place] : padding;
                segments[row, place] = isText[row, place] && place >= encoded.FirstLength ? 1 : 0;
            }
        }

        return (
            new TokenBatch(tensor(tokens, device: device), tensor(segments, device: device), tensor(isText, device: device)),
            tensor([.. chosen.Select(text => (long)labels[text])], device: device));
    }
}
