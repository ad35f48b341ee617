using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Baselines.Internal;

/// <summary>One order of the scores of all layers: how many of each lie below the cut that removes so many in all.</summary>
internal static class GlobalCut
{
    private static readonly Scalar Infinity = double.PositiveInfinity.ToScalar();

    /// <summary>The members to be removed from each layer: the smallest scores go, among equals those of the first layers.</summary>
    /// <param name="scores">One tensor a layer, of any shape; need not be positive, but finite. Borrowed.</param>
    /// <param name="total">The members removed in all, so few that each layer can keep one.</param>
    /// <returns>One count a layer, less than its members; their sum is the total.</returns>
    public static long[] Counts(IReadOnlyList<Tensor> scores, long total)
    {
        Debug.Assert(total >= 0 && total <= scores.Sum(score => score.numel() - 1), "each layer keeps one");
        if (total == 0)
            return new long[scores.Count];

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Tensor[] open = [.. scores.Select(WithoutLargest)];
        // One dimension, so that scores of less precision are compared in that of the cut.
        var cut = cat(open).kthvalue(total, 0, keepdim: true).values;
        long[] counts = [.. open.Select(score => Count(score.lt(cut)))];
        GiveTies(counts, [.. open.Select(score => Count(score.eq(cut)))], total - counts.Sum());
        return counts;
    }

    /// <summary>The scores with one that never goes: a layer's largest keeps it alive.</summary>
    private static Tensor WithoutLargest(Tensor score)
    {
        var flat = score.flatten().clone();
        return flat.index_fill_(0, flat.argmax(0, keepdim: true), Infinity);
    }

    private static long Count(Tensor members) => members.sum().cpu().ReadCpuInt64(0);

    private static void GiveTies(long[] counts, long[] ties, long open)
    {
        for (var i = 0; i < counts.Length && open > 0; i++)
        {
            var given = Math.Min(open, ties[i]);
            counts[i] += given;
            open -= given;
        }
    }
}
