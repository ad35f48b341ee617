using static TorchSharp.torch;

namespace Pdp.Samples.Bert.Network;

/// <summary>Texts as tokens, padded to the same length. Owns its tensors.</summary>
/// <param name="Tokens">The numbers of the tokens, <c>[texts, length]</c>, int64.</param>
/// <param name="Segments">0 for the first text of a pair and 1 for the second, <c>[texts, length]</c>, int64.</param>
/// <param name="IsText">Whether a token is not padding, <c>[texts, length]</c>, bool.</param>
internal sealed record TokenBatch(Tensor Tokens, Tensor Segments, Tensor IsText) : IDisposable
{
    public void Dispose()
    {
        Tokens.Dispose();
        Segments.Dispose();
        IsText.Dispose();
    }
}
