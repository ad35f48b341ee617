using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Channels.Probing.Running;

/// <summary>The outputs of a pass as plain numbers, which may leave the thread of the pass.</summary>
internal sealed class Outputs
{
    private static readonly Scalar Zero = 0.ToScalar();
    private static readonly Scalar Infinity = double.PositiveInfinity.ToScalar();

    private readonly (long[] Shape, double[] Values)[] _tensors;

    private Outputs((long[] Shape, double[] Values)[] tensors)
    {
        _tensors = tensors;
        Largest = tensors.Select(LargestOf).DefaultIfEmpty().Max();
    }

    /// <summary>The largest magnitude of a finite element.</summary>
    public double Largest { get; }

    /// <summary>All elements, one output after the other.</summary>
    public double[] Values => [.. _tensors.SelectMany(tensor => tensor.Values)];

    /// <summary>Whether all elements are finite.</summary>
    public bool IsFinite => _tensors.All(tensor => tensor.Values.All(double.IsFinite));

    /// <summary>Reads the outputs.</summary>
    public static Outputs Of(IReadOnlyList<Tensor> outputs)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return new([.. outputs.Select(Read)]);
    }

    /// <summary>Whether all shapes are the same.</summary>
    public bool HasShapesOf(Outputs other) =>
        _tensors.Length == other._tensors.Length
        && _tensors.Zip(other._tensors).All(pair => pair.First.Shape.AsSpan().SequenceEqual(pair.Second.Shape));

    /// <summary>Whether all shapes and numbers are the same.</summary>
    public bool Equal(Outputs other) =>
        HasShapesOf(other) && _tensors.Zip(other._tensors).All(pair => pair.First.Values.AsSpan().SequenceEqual(pair.Second.Values));

    /// <summary>
    /// The differences from other outputs of the same shapes, row by row: each index of each dimension except the batch is a row with its
    /// own scale. Without other dimensions, each element is a row.
    /// </summary>
    public IReadOnlyList<RowDifference> DifferencesTo(Outputs other)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return [.. _tensors.Zip(other._tensors).Where(pair => pair.First.Values.Length > 0)
            .SelectMany(pair => Rows(pair.First, pair.Second))];
    }

    /// <summary>For each dimension but the batch of each output, the indices at which other outputs of the same shapes differ.</summary>
    public IReadOnlyList<long[]> ChangedIndices(Outputs other)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return
        [
            .. _tensors.Zip(other._tensors).Where(pair => pair.First.Values.Length > 0)
                .SelectMany(pair => Enumerable.Range(1, Math.Max(pair.First.Shape.Length - 1, 0)),
                    (pair, dimension) => TensorChanges.Indices(Over(pair.First), Over(pair.Second), dimension)),
        ];
    }

    private static IEnumerable<RowDifference> Rows((long[] Shape, double[] Values) mine, (long[] Shape, double[] Values) others)
    {
        var (a, b) = (Over(mine), Over(others));
        var magnitudes = FiniteMagnitudes(a);
        var areSame = a.eq(b).logical_or(a.isnan().logical_and(b.isnan()));
        var differences = a.sub(b).abs();
        differences = differences.masked_fill(differences.isnan(), Infinity).masked_fill(areSame, Zero);
        // The first dimension is the batch, whose examples have the same scale. If it is the only one, it may hold anything.
        return mine.Shape.Length < 2
            ? Numbers(magnitudes).Zip(Numbers(differences), (scale, difference) => new RowDifference(scale, difference))
            : Enumerable.Range(1, mine.Shape.Length - 1).SelectMany(RowsAlong);

        IEnumerable<RowDifference> RowsAlong(int dimension)
        {
            long[] inner = [.. Enumerable.Range(0, mine.Shape.Length).Where(other => other != dimension).Select(other => (long)other)];
            return Numbers(magnitudes.amax(inner)).Zip(Numbers(differences.amax(inner)), (scale, difference) =>
                new RowDifference(scale, difference));
        }
    }

    private static double LargestOf((long[] Shape, double[] Values) output)
    {
        if (output.Values.Length == 0)
            return 0;

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return Numbers(FiniteMagnitudes(Over(output)).max())[0];
    }

    private static Tensor FiniteMagnitudes(Tensor values) => values.abs().masked_fill(values.isfinite().logical_not(), Zero);

    private static Tensor Over((long[] Shape, double[] Values) output) => frombuffer(output.Values, ScalarType.Float64).view(output.Shape);

    private static (long[] Shape, double[] Values) Read(Tensor output)
    {
        var values = output.is_complex() ? view_as_real(output) : output;
        return (values.shape, Numbers(values.to_type(ScalarType.Float64).cpu().contiguous()));
    }

    private static double[] Numbers(Tensor values)
    {
        var numbers = MemoryMarshal.Cast<byte, double>(values.bytes).ToArray();
        GC.KeepAlive(values);
        return numbers;
    }
}
