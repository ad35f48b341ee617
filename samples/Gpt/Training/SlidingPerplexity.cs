using Pdp.Samples.Gpt.Network;
using Pdp.Samples.Gpt.Text;
using static TorchSharp.torch;

namespace Pdp.Samples.Gpt.Training;

/// <summary>The perplexity of a text by a sliding window: after the first, each token is predicted from at least their overlap.</summary>
/// <remarks>
/// e to the mean of −ln p over all tokens but the first. A window is moved on by the stride, and only what the one before has not predicted
/// counts; the last one is moved on by less, so that it ends with the text.
/// </remarks>
internal sealed class SlidingPerplexity
{
    private const int Batch = 16;

    private readonly int[] _tokens;
    private readonly int _length;
    private readonly List<(int Start, int Counted)> _windows = [];

    /// <param name="text">The text.</param>
    /// <param name="length">The tokens of a window.</param>
    /// <param name="stride">The tokens by which it is moved on, at most its length.</param>
    /// <exception cref="ArgumentException">The text has no token to predict, or the stride leaves some out.</exception>
    public SlidingPerplexity(TokenText text, int length, int stride)
    {
        if (text.Tokens.Length < 2)
        {
            throw new ArgumentException($"The text '{text.Name}' has {text.Tokens.Length} tokens; there is nothing to predict.");
        }

        if (stride > length)
        {
            throw new ArgumentException(
                $"--stride {stride} is more than a window of {length} (--length), so that tokens would be left out.");
        }

        (Name, _tokens) = (text.Name, text.Tokens);
        var told = _tokens.Length - 1;
        _length = Math.Min(length, told);
        _windows.Add((0, _length));
        for (var end = _length; end < told;)
        {
            var next = Math.Min(end + stride, told);
            _windows.Add((next - _length, next - end));
            end = next;
        }
    }

    /// <summary>What the text is called.</summary>
    public string Name { get; }

    /// <summary>Measures it.</summary>
    /// <param name="model">The model; it is in training mode afterwards if it was before.</param>
    /// <param name="pruner">The pruner; null where there is none.</param>
    /// <param name="form">The form of the weights.</param>
    /// <exception cref="InvalidDataException">It is too large for a number.</exception>
    public double Of(GptModel model, PdpPruner? pruner = null, MaskForm form = MaskForm.Soft)
    {
        using var noGrad = no_grad();
        var wasTraining = model.training;
        model.eval();
        try
        {
            using var mask = pruner is null ? default : pruner.Mask(form);
            var groups = _windows.GroupBy(window => window.Counted).SelectMany(group => group.Chunk(Batch));
            var perplexity = Math.Exp(groups.Sum(windows => Loss(model, windows)) / (_tokens.Length - 1));
            return double.IsFinite(perplexity) ? perplexity : throw new InvalidDataException($"The perplexity on {Name} is {perplexity}.");
        }
        finally
        {
            model.train(wasTraining);
        }
    }

    // The sum of −ln p.
    private double Loss(GptModel model, (int Start, int Counted)[] windows)
    {
        using var scope = NewDisposeScope();
        var counted = windows[0].Counted;
        var device = model.Device;
        var next = Windows.Of(_tokens, [.. windows.Select(window => window.Start + _length - counted + 1)], counted, device);
        var logits = model.Last(Windows.Of(_tokens, [.. windows.Select(window => window.Start)], _length, device), counted);
        return nn.functional.cross_entropy(logits.flatten(0, 1), next.flatten(), reduction: nn.Reduction.Sum).cpu().ReadCpuSingle(0);
    }
}
