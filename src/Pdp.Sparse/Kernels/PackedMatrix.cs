using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Pdp.Numerics.Kernels;
using static TorchSharp.torch;

namespace Pdp.Sparse.Kernels;

/// <summary>The nonzeros of a matrix, six bytes each, in panels that are used one after the other.</summary>
/// <remarks>
/// The columns are cut into blocks whose inputs stay in the first-level cache, and the rows into panels. Immutable; the memory is freed by
/// <see cref="Dispose"/>.
/// </remarks>
internal sealed unsafe class PackedMatrix : IDisposable
{
    /// <summary>The rows of a panel.</summary>
    public const int PanelRows = 128;

    /// <summary>What a column's number is multiplied by in the indices: the address of 64 inputs then needs no shift.</summary>
    public const int IndexUnit = 32;

    /// <summary>The most columns of a block: with 64 inputs each, 48 KiB.</summary>
    private const int MostBlockColumns = 192;

    private readonly float* _values;
    private readonly ushort* _indices;
    private readonly PackedRow* _rows;
    private readonly float* _bias;
    private readonly long[] _starts;

    /// <param name="weight">The matrix, row by row.</param>
    /// <param name="rows">How many rows it has.</param>
    /// <param name="columns">How many columns it has.</param>
    /// <param name="bias">One number for each row, or null.</param>
    public PackedMatrix(float* weight, int rows, int columns, float* bias)
    {
        (Rows, Columns) = (rows, columns);
        Blocks = Math.Max(1, Ceiling(columns, MostBlockColumns));
        BlockColumns = Ceiling(columns, Blocks);
        Panels = Ceiling(rows, PanelRows);
        Nonzeros = CountNonzeros(weight, (long)rows * columns);
        _values = Allocate<float>(Nonzeros);
        _indices = Allocate<ushort>(Nonzeros);
        _rows = Allocate<PackedRow>((long)rows * Blocks);
        _starts = new long[Blocks * Panels];
        _bias = Allocate<float>(rows);
        new Span<float>(_bias, rows).Clear();
        if (bias is not null)
            new ReadOnlySpan<float>(bias, rows).CopyTo(new Span<float>(_bias, rows));
        Fill(weight);
    }

    /// <summary>Packs a weight, whose first dimension is the rows, and its bias if it has one.</summary>
    public static PackedMatrix Of(Tensor weight, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var (plain, numbers) = (weight.contiguous(), bias?.contiguous());
        var rows = checked((int)weight.size(0));
        var columns = checked((int)(weight.numel() / Math.Max(1, rows)));
        var packed = new PackedMatrix(
            (float*)NativeTensor.Data(plain.Handle), rows, columns, numbers is null ? null : (float*)NativeTensor.Data(numbers.Handle));
        GC.KeepAlive(plain);
        GC.KeepAlive(numbers);
        return packed;
    }

    /// <summary>Frees what was not disposed of.</summary>
    ~PackedMatrix() => Free();

    /// <summary>The number of outputs.</summary>
    public int Rows { get; }

    /// <summary>The number of inputs.</summary>
    public int Columns { get; }

    /// <summary>The number of weights that are not zero.</summary>
    public long Nonzeros { get; }

    /// <summary>The number of blocks of columns.</summary>
    public int Blocks { get; }

    /// <summary>The number of columns of a block; the last block may have fewer.</summary>
    public int BlockColumns { get; }

    /// <summary>The number of panels of a block, each with up to <see cref="PanelRows"/> rows.</summary>
    public int Panels { get; }

    /// <summary>One number for each row.</summary>
    public float* Bias => _bias;

    /// <summary>The memory that it takes, in bytes.</summary>
    public long Bytes =>
        (Nonzeros * (sizeof(float) + sizeof(ushort))) + ((long)Rows * Blocks * sizeof(PackedRow)) + (Rows * sizeof(float))
        + (_starts.Length * sizeof(long));

    /// <summary>How many columns a block has.</summary>
    public int ColumnsOf(int block) => Math.Min(BlockColumns, Columns - (block * BlockColumns));

    /// <summary>How many rows a panel has.</summary>
    public int RowsOf(int panel) => Math.Min(PanelRows, Rows - (panel * PanelRows));

    /// <summary>The nonzeros of a panel in a block.</summary>
    public Panel Panel(int block, int panel)
    {
        var start = _starts[(block * Panels) + panel];
        return new()
        {
            Rows = RowsAt(block, panel),
            Count = RowsOf(panel),
            Indices = _indices + start,
            Values = _values + start,
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private PackedRow* RowsAt(int block, int panel) => _rows + ((long)block * Rows) + (panel * PanelRows);

    private void Fill(float* weight)
    {
        var at = 0L;
        for (var block = 0; block < Blocks; block++)
        {
            for (var panel = 0; panel < Panels; panel++)
            {
                _starts[(block * Panels) + panel] = at;
                var corner = weight + ((long)panel * PanelRows * Columns) + (block * BlockColumns);
                at += FillPanel(corner, RowsAt(block, panel), RowsOf(panel), ColumnsOf(block), at);
            }
        }
    }

    private long FillPanel(float* corner, PackedRow* rows, int count, int columns, long at)
    {
        for (var row = 0; row < count; row++)
            rows[row] = new((ushort)row, (ushort)CountNonzeros(corner + ((long)row * Columns), columns));
        new Span<PackedRow>(rows, count).Sort(static (a, b) => a.Count != b.Count ? a.Count - b.Count : a.Place - b.Place);
        var start = at;
        for (var row = 0; row < count; row++)
            at += FillRow(corner + ((long)rows[row].Place * Columns), columns, at);
        return at - start;
    }

    [MethodImpl(Compiled.AtOnce)]
    private int FillRow(float* weights, int columns, long at)
    {
        var count = 0;
        for (var column = 0; column < columns; column++)
        {
            if (weights[column] == 0)
                continue;
            _indices[at + count] = (ushort)(column * IndexUnit);
            _values[at + count++] = weights[column];
        }

        return count;
    }

    [MethodImpl(Compiled.AtOnce)]
    private static long CountNonzeros(float* weights, long length)
    {
        var count = 0L;
        for (var i = 0L; i < length; i++)
            count += weights[i] != 0 ? 1 : 0;
        return count;
    }

    private static int Ceiling(int a, int b) => (a + b - 1) / b;

    /// <summary>Memory followed by zeros, since vectors read past its end: the extra indices are then 0.</summary>
    private static T* Allocate<T>(long count)
        where T : unmanaged
    {
        var start = (T*)NativeMemory.AlignedAlloc(checked((nuint)(count * sizeof(T)) + 64), 64);
        NativeMemory.Clear(start + count, 64);
        return start;
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_values);
        NativeMemory.AlignedFree(_indices);
        NativeMemory.AlignedFree(_rows);
        NativeMemory.AlignedFree(_bias);
    }
}
