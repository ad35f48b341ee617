using static TorchSharp.torch;

namespace Pdp.Channels.Probing.Running;

/// <summary>Other sizes that an example's tensors might have: batch size, image size, sequence length.</summary>
internal static class ProbeSizes
{
    private const long Batch = 3;

    /// <summary>
    /// Functions from a tensor to its shape in another size, the most informative first. The model may not accept all of them.
    /// </summary>
    /// <param name="example">The tensors of the example; the first one determines what can vary.</param>
    public static IEnumerable<Func<Tensor, long[]>> Of(IReadOnlyList<Tensor> example)
    {
        if (example.Count == 0)
            yield break;

        var first = example[0].shape;
        long[][] changes = [.. Varying(example[0]).SelectMany(dimensions => Sizes(first, dimensions))];
        foreach (var change in changes)
            yield return tensor => Changed(tensor, first, [Batch, .. change[1..]]);
        foreach (var change in changes)
            yield return tensor => Changed(tensor, first, change);
        yield return tensor => Changed(tensor, first, [Batch, .. first[1..]]);
    }

    /// <summary>The shapes of a batch of one; null if the example is one, or has no batch.</summary>
    /// <param name="example">The tensors of the example.</param>
    public static Func<Tensor, long[]>? OfOne(IReadOnlyList<Tensor> example) =>
        example.Count > 0 && example[0].shape is [> 1, _, ..] first ? tensor => Changed(tensor, first, [1, .. first[1..]]) : null;

    /// <summary>The dimensions that may be image sizes or a sequence length, varied together or one at a time.</summary>
    private static int[][] Varying(Tensor example) => (example.dim(), example.is_floating_point()) switch
    {
        (1, false) => [[0]],
        (2, false) => [[1]],
        (3, _) => [[1], [2]],
        (4, _) => [[2, 3], [1, 2], [1]],
        (5, _) => [[2, 3, 4]],
        _ => [],
    };

    /// <summary>1.5 times as large, double and half; for large inputs half comes first.</summary>
    private static IEnumerable<long[]> Sizes(long[] shape, int[] dimensions)
    {
        double[] factors = dimensions.Max(dimension => shape[dimension]) > 16 ? [0.5, 1.5, 2] : [1.5, 2, 0.5];
        foreach (var factor in factors)
        {
            // A sequence of length 1 can't tell positions apart.
            long Scaled(long size) => (long)((size == 1 ? 4 : size) * factor);
            long[] changed = [.. shape.Select((size, dimension) => dimensions.Contains(dimension) ? Scaled(size) : size)];
            if (changed.All(size => size > 0))
                yield return changed;
        }
    }

    /// <summary>A tensor's shape after each dimension that has the first tensor's old size gets the new one.</summary>
    private static long[] Changed(Tensor tensor, long[] first, long[] changed) =>
        [.. tensor.shape.Select((size, dimension) => dimension < first.Length && size == first[dimension] ? changed[dimension] : size)];
}
