using static TorchSharp.torch;

namespace Pdp.Samples.Gpt.Text;

/// <summary>Cuts a text into windows, and these into shuffled batches.</summary>
/// <remarks>
/// The first window of each epoch begins at a different place, so that texts are cut differently each time. The order follows from the
/// seed and the epoch alone.
/// </remarks>
internal sealed class Windows
{
    private readonly int[] _tokens;
    private readonly int _length;
    private readonly int _size;
    private readonly long _seed;
    private readonly Device? _device;
    private int[] _starts = [];
    private int? _epoch;

    /// <param name="text">The text.</param>
    /// <param name="length">The tokens of a window.</param>
    /// <param name="size">The windows of a batch.</param>
    /// <param name="seed">The seed of the order.</param>
    /// <param name="device">Where the batches go; the CPU if none is given.</param>
    /// <exception cref="ArgumentException">The text is too short for a window.</exception>
    public Windows(TokenText text, int length, int size, long seed, Device? device = null)
    {
        (_tokens, _length, _size, _seed, _device) = (text.Tokens, length, size, seed, device);
        if (InEpoch < 1)
        {
            throw new ArgumentException(
                $"The text '{text.Name}' has {_tokens.Length} tokens, fewer than twice a window of {length} (--length).");
        }
    }

    /// <summary>The number of batches of an epoch.</summary>
    public int Count => (InEpoch + _size - 1) / _size;

    // As many as fit wherever the first one begins.
    private int InEpoch => (_tokens.Length - _length) / _length;

    /// <summary>A batch of a shuffled epoch; its tensors are the caller's.</summary>
    /// <returns>The tokens and those after them, each <c>[windows, length]</c>, int64.</returns>
    public (Tensor Tokens, Tensor Next) Shuffled(int epoch, int index)
    {
        if (_epoch != epoch)
        {
            (_starts, _epoch) = (Shuffle(epoch), epoch);
        }

        int[] starts = [.. _starts.Skip(index * _size).Take(_size)];
        return (Of(_tokens, starts, _length, _device), Of(_tokens, [.. starts.Select(start => start + 1)], _length, _device));
    }

    /// <summary>The tokens of windows, <c>[windows, length]</c>, int64.</summary>
    public static Tensor Of(int[] tokens, int[] starts, int length, Device? device = null)
    {
        var windows = new long[starts.Length, length];
        for (var row = 0; row < starts.Length; row++)
        {
            for (var place = 0; place < length; place++)
            {
                windows[row, place] = tokens[starts[row] + place];
            }
        }

        return tensor(windows, device: device);
    }

    private int[] Shuffle(int epoch)
    {
        var random = new SplitMix(_seed, epoch, index: -1);
        var first = random.Below(_length);
        int[] starts = [.. Enumerable.Range(0, InEpoch).Select(window => first + (window * _length))];
        random.Shuffle(starts);
        return starts;
    }
}
