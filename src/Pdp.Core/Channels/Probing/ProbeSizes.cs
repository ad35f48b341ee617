using static TorchSharp.torch;

namespace Pdp.Channels.Probing;

/// <summary>Other sizes that an example's tensors might have: of the batch, of pictures, of sequences.</summary>
internal static class ProbeSizes
{
    private const long Batch = 3;

    /// <summary>Functions from a tensor to its shape in another size, the most telling first; whether the model takes one has to be tried.</summary>
    /// <param name="example">The tensors of the example; the first one says what can vary.</param>
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

    /// <summary>What may be sizes of pictures or the length of a sequence: together, or each alone.</summary>
    private static int[][] Varying(Tensor example) => (example.dim(), example.is_floating_point()) switch
    {
        (1, false) => [[0]],
        (2, false) => [[1]],
        (3, _) => [[1], [2]],
        (4, _) => [[2, 3], [1, 2], [1]],
        (5, _) => [[2, 3, 4]],
        _ => [],
    };

    /// <summary>Half as large again, double and half; the other way round where that would take long.</summary>
    private static IEnumerable<long[]> Sizes(long[] shape, int[] dimensions)
    {
        double[] factors = dimensions.Max(dimension => shape[dimension]) > 16 ? [0.5, 1.5, 2] : [1.5, 2, 0.5];
        foreach (var factor in factors)
        {
            // A sequence of one says nothing about what tells positions apart.
            long[] changed = [.. shape.Select((size, dimension) => !dimensions.Contains(dimension) ? size : size == 1 ? (long)(4 * factor) : (long)(size * factor))];
            if (changed.All(size => size > 0))
                yield return changed;
        }
    }

    /// <summary>A tensor's shape when each dimension that is of the first's old size there gets its new one.</summary>
    private static long[] Changed(Tensor tensor, long[] first, long[] changed) =>
        [.. tensor.shape.Select((size, dimension) => dimension < first.Length && size == first[dimension] ? changed[dimension] : size)];
}
