using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples.Transformers;

/// <summary>The positions of tokens, whose embeddings are added to those of the tokens.</summary>
internal static class Positions
{
    private static readonly Scalar First = 0.ToScalar();
    private static readonly Scalar Step = 1.ToScalar();

    /// <summary>0, 1, 2, … in each text, with Scalars that outlive the call: arange's own don't.</summary>
    /// <param name="tokens"><c>[texts, length]</c>.</param>
    /// <returns><c>[length]</c>, int64; the caller's.</returns>
    public static Tensor Of(Tensor tokens)
    {
        using var end = tokens.size(1).ToScalar();
        return arange(First, end, Step, dtype: ScalarType.Int64, device: tokens.device);
    }
}
