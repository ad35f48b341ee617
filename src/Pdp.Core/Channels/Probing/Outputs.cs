using static TorchSharp.torch;

namespace Pdp.Channels.Probing;

/// <summary>The outputs of a pass as plain numbers.</summary>
internal sealed class Outputs
{
    private readonly (long[] Shape, double[] Values)[] _tensors;

    private Outputs((long[] Shape, double[] Values)[] tensors) => _tensors = tensors;

    /// <summary>The largest magnitude of a finite element.</summary>
    public double Largest => _tensors.SelectMany(tensor => tensor.Values).Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty().Max();

    /// <summary>Reads the outputs.</summary>
    public static Outputs Of(IReadOnlyList<Tensor> outputs)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return new([.. outputs.Select(output => (output.shape, Read(output)))]);
    }

    /// <summary>Whether all shapes are the same.</summary>
    public bool HasShapesOf(Outputs other) =>
        _tensors.Length == other._tensors.Length
        && _tensors.Zip(other._tensors).All(pair => pair.First.Shape.AsSpan().SequenceEqual(pair.Second.Shape));

    /// <summary>
    /// The differences from other outputs of the same shapes, row by row: each index of each dimension except the batch is a row with its
    /// own scale.
    /// </summary>
    public IEnumerable<RowDifference> DifferencesTo(Outputs other)
    {
        foreach (var (mine, others) in _tensors.Zip(other._tensors))
        {
            // The first dimension is the batch, whose examples have the same scale.
            for (var dimension = mine.Shape.Length < 2 ? -1 : 1; dimension < mine.Shape.Length; dimension++)
            {
                foreach (var row in Rows(mine.Shape, dimension, mine.Values, others.Values))
                    yield return row;
            }
        }
    }

    private static RowDifference[] Rows(long[] shape, int dimension, double[] a, double[] b)
    {
        var size = dimension < 0 ? 1 : (int)shape[dimension];
        var inner = (int)shape.Skip(dimension < 0 ? shape.Length : dimension + 1).Aggregate(1L, (product, length) => product * length);
        var rows = new RowDifference[size];
        for (var i = 0; i < a.Length; i++)
        {
            ref var row = ref rows[dimension < 0 ? 0 : i / inner % size];
            row = row.With(a[i], b[i]);
        }

        return rows;
    }

    private static double[] Read(Tensor output)
    {
        var values = output.is_complex() ? view_as_real(output) : output;
        return values.to_type(ScalarType.Float64).cpu().contiguous().data<double>().ToArray();
    }
}
