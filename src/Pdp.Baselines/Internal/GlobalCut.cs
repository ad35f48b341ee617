using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Baselines.Internal;

/// <summary>One order of the scores of all layers.</summary>
internal static class GlobalCut
{
    private static readonly Scalar Infinity = double.PositiveInfinity.ToScalar();

    /// <summary>How many of each layer's scores are among the smallest of all; equal ones go in the order of the layers.</summary>
    /// <param name="scores">The scores of each layer, of any shape.</param>
    /// <param name="remove">How many in all; at most all but one of each layer.</param>
    /// <returns>One count a layer, never all of its scores; their sum is exactly <paramref name="remove"/>.</returns>
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

    /// <summary>The scores of a layer, in one dimension, with the largest out of the competition: no layer loses everything.</summary>
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
