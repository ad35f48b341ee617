using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Baselines.Internal;

/// <summary>Ranks the scores of all layers together.</summary>
internal static class GlobalCut
{
    private static readonly Scalar Infinity = double.PositiveInfinity.ToScalar();

    /// <summary>The number of each layer's scores that are among the smallest of all; ties are broken in the order of the layers.</summary>
    /// <param name="scores">The scores of each layer, of any shape.</param>
    /// <param name="remove">The total number; at most all but one of each layer.</param>
    /// <returns>One count per layer, never all of its scores; they add up to exactly <paramref name="remove"/>.</returns>
    /// <exception cref="InvalidOperationException">The cut is not finite.</exception>
    public static long[] Counts(IReadOnlyList<Tensor> scores, long remove)
    {
        if (remove == 0)
            return new long[scores.Count];

        using var scope = NewDisposeScope();
        Tensor[] open = [.. scores.Select(WithoutLargest)];
        var cut = cat([.. open.Select(score => score.to(open[0].device))]).kthvalue(remove, 0, keepdim: true).values;
        if (!cut.isfinite().cpu().ReadCpuBool(0))
            throw new InvalidOperationException("The scores that decide what is removed are not finite: lower their learning rate.");

        long[] counts = [.. open.Select(score => Count(score.lt(cut.to(score.device))))];
        GiveTies(counts, [.. open.Select(score => Count(score.eq(cut.to(score.device))))], remove - counts.Sum());
        return counts;
    }

    /// <summary>
    /// The scores of a layer, in one dimension, with the largest excluded from the competition, so that no layer loses everything.
    /// </summary>
    private static Tensor WithoutLargest(Tensor score)
    {
        var flat = score.reshape(-1);
        return flat.index_fill(0, flat.argmax(0, keepdim: true), Infinity);
    }

    private static void GiveTies(long[] counts, long[] ties, long open)
    {
        for (var i = 0; i < counts.Length && open > 0; i++)
        {
            var given = Math.Min(open, ties[i]);
            counts[i] += given;
            open -= given;
        }
    }

    private static long Count(Tensor condition) => condition.sum().cpu().ReadCpuInt64(0);
}
