using System.Globalization;
using Pdp.Internal;
using Pdp.Strategies;
using static TorchSharp.torch;

namespace Pdp;

/// <summary>Blocks of weights compete: each is kept or removed as a whole, as block-sparse kernels skip them.</summary>
/// <remarks>
/// Blocks tile the weight as a matrix <c>[out, in·k]</c>, row by row: a linear layer's <c>[out, in]</c> as it is, a convolution's <c>[out,
/// in/groups, k…]</c> flattened from its second dimension on, and a transposed convolution's <c>[in, out/groups, k…]</c> with its output
/// channels first. A weight whose matrix can't be divided evenly into blocks stays dense. In convolutions with groups, blocks are not
/// kept apart by these: choose sizes that divide a group's channels. Blocks of one weight are <see cref="Unstructured"/>.
/// </remarks>
public sealed record Block : IMaskStrategy
{
    /// <summary>Makes the strategy for a block size; common kernels support 1 × 4, 4 × 1 and 16 × 1.</summary>
    /// <param name="rows">The output channels of a block, at least 1.</param>
    /// <param name="columns">The consecutive inputs and kernel positions of a block, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1.</exception>
    public Block(int rows, int columns)
    {
        Rows = rows >= 1 ? rows : throw Guard.Outside(nameof(rows), rows, "[1, ∞)");
        Columns = columns >= 1 ? columns : throw Guard.Outside(nameof(columns), columns, "[1, ∞)");
    }

    /// <summary>The output channels of a block.</summary>
    /// <value>At least 1.</value>
    public int Rows { get; }

    /// <summary>The consecutive inputs and kernel positions of a block.</summary>
    /// <value>At least 1.</value>
    public int Columns { get; }

    /// <summary>How the score of a block is computed from its weights.</summary>
    /// <value>Default <see cref="ScoreNorm.Rms"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is not defined.</exception>
    public ScoreNorm Score
    {
        get;
        init => field = Enum.IsDefined(value) ? value : throw Guard.Outside(nameof(Score), value, "{Rms, L2}");
    }

    /// <inheritdoc/>
    public string Name => string.Create(CultureInfo.InvariantCulture, $"{Rows}x{Columns}{(Score == ScoreNorm.Rms ? "" : "-l2")}");

    /// <inheritdoc/>
    public double? FixedSparsity => null;

    /// <summary>The number of weights in a block.</summary>
    private long Size => (long)Rows * Columns;

    /// <summary>Reads a size.</summary>
    /// <param name="text">Rows and columns, such as <c>1x4</c>.</param>
    /// <exception cref="FormatException">The text is not two whole numbers with an x between them.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1.</exception>
    public static Block Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Split('x') is [var rows, var columns] && Guard.IsWhole(rows, out var height) && Guard.IsWhole(columns, out var width)
            ? new(height, width)
            : throw new FormatException($"'{text}' is not a block size: write rows x columns, such as 1x4.");
    }

    /// <inheritdoc/>
    public string? UnsupportedReason(WeightLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);

        var (outputs, inputs) = MatrixOf(layout);
        return outputs % Rows == 0 && inputs % Columns == 0
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"blocks of {Rows} x {Columns} don't tile its matrix of {outputs} x {inputs}");
    }

    /// <inheritdoc/>
    public Grouping GroupingOf(WeightLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        return new(1, layout.Elements / Size);
    }

    /// <inheritdoc/>
    public long Removed(long target, double fraction) => Counts.Floor(target, fraction);

    /// <inheritdoc/>
    public Tensor Magnitude(Tensor weight, WeightLayout layout)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(layout);

        using var scope = NewDisposeScope();
        return RowMagnitude.Of(BlocksOf(weight, layout), ScoreSlope(layout)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Sum(Tensor values, WeightLayout layout)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(layout);

        using var scope = NewDisposeScope();
        return BlocksOf(values, layout).sum(1).reshape(1, -1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Spread(Tensor grouped, WeightLayout layout)
    {
        ArgumentNullException.ThrowIfNull(grouped);
        ArgumentNullException.ThrowIfNull(layout);

        using var scope = NewDisposeScope();
        var (outputs, inputs) = MatrixOf(layout);
        var outputsFirst = layout.Dimensions.Where((_, dimension) => dimension != layout.OutputDimension).Prepend(outputs);
        return grouped.reshape(outputs / Rows, 1, inputs / Columns, 1)
            .expand(outputs / Rows, Rows, inputs / Columns, Columns)
            .reshape([.. outputsFirst])
            .movedim([0], [layout.OutputDimension])
            .MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public double ScoreSlope(WeightLayout layout) => Score == ScoreNorm.Rms ? 1.0 / Size : 1;

    /// <inheritdoc/>
    public string Describe() => Name;

    /// <summary>The sizes of the matrix <c>[out, in·k]</c>.</summary>
    private static (long Outputs, long Inputs) MatrixOf(WeightLayout layout)
    {
        var outputs = layout.Shape[layout.OutputDimension];
        return (outputs, layout.Elements / outputs);
    }

    /// <summary><c>[blocks, weights of a block]</c>; in the caller's scope.</summary>
    private Tensor BlocksOf(Tensor values, WeightLayout layout)
    {
        var (outputs, inputs) = MatrixOf(layout);
        return values.movedim([layout.OutputDimension], [0])
            .reshape(outputs / Rows, Rows, inputs / Columns, Columns)
            .permute(0, 2, 1, 3)
            .reshape(-1, Size);
    }
}
