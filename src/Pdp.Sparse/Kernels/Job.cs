using System.Runtime.CompilerServices;
using Pdp.Numerics.Kernels;

namespace Pdp.Sparse.Kernels;

/// <summary>Computes one product at a time on libtorch's threads, in memory of its own; reused from call to call.</summary>
internal sealed unsafe class Job : IParallelWork
{
    /// <summary>The most panels of a piece: the sums of their 1024 rows don't fill the second-level cache.</summary>
    private const int MostPanels = 1024 / PackedMatrix.PanelRows;

    /// <summary>The least work, in nonzeros times 16 positions, for which other threads are woken: about 15 microseconds.</summary>
    private const long LeastWork = 1 << 16;

    private static readonly IPanelKernel Kernel = PanelKernels.Widest;
    private readonly ParallelRunner _runner = new();
    private readonly Scratch[] _slabs = [.. Workers.Select(_ => new Scratch())];
    private readonly Scratch[] _sums = [.. Workers.Select(_ => new Scratch())];
    private PackedMatrix? _matrix;
    private IInput? _input;
    private IOutput? _output;
    private Activation _activation;
    private long _positions;
    private float* _vector;
    private int _groupPanels;
    private int _groups;

    /// <summary>An input whose numbers lie side by side for each position.</summary>
    public PositionsInput Positions { get; } = new();

    /// <summary>An input whose positions lie side by side.</summary>
    public PlanesInput Planes { get; } = new();

    /// <summary>The windows of a convolution.</summary>
    public WindowsInput Windows { get; } = new();

    /// <summary>An output whose numbers lie side by side for each position.</summary>
    public PositionsOutput ToPositions { get; } = new();

    /// <summary>An output whose positions lie side by side.</summary>
    public PlanesOutput ToPlanes { get; } = new();

    private static IEnumerable<int> Workers => Enumerable.Range(0, ParallelRunner.WorkersFor(int.MaxValue));

    /// <summary>output = activation(matrix·input + bias + addend).</summary>
    /// <remarks>A single position's inputs, if side by side, can also be given as a vector.</remarks>
    public void Multiply(
        PackedMatrix matrix, IInput input, IOutput output, Activation activation, long positions, int threads, float* vector = null)
    {
        _vector = vector;
        (_matrix, _input, _output, _activation, _positions) = (matrix, input, output, activation, positions);
        var tiles = (positions + Kernel.MostWidth - 1) / Kernel.MostWidth;
        _groups = Groups(matrix, tiles, threads);
        _groupPanels = (matrix.Panels + _groups - 1) / _groups;
        _groups = (matrix.Panels + _groupPanels - 1) / _groupPanels;
        Prepare(ParallelRunner.WorkersFor(threads));
        var work = matrix.Nonzeros * ((positions + 15) / 16);
        Spread(this, checked((int)(tiles * _groups)), work < LeastWork ? 1 : threads);
    }

    /// <summary>Runs other work on the same threads.</summary>
    public void Spread(IParallelWork work, int pieces, int threads) => _runner.Run(work, pieces, threads);

    /// <inheritdoc/>
    public void Run(int piece, int worker)
    {
        var (tile, group) = Math.DivRem(piece, _groups);
        var start = (long)tile * Kernel.MostWidth;
        var count = (int)Math.Min(Kernel.MostWidth, _positions - start);
        var width = Kernel.LeastWidth;
        while (width < count)
            width *= 2;
        Compute(new(start, count, width), group * _groupPanels, worker);
    }

    [MethodImpl(Compiled.AtOnce)]
    private void Compute(Tile tile, int firstPanel, int worker)
    {
        var matrix = _matrix!;
        var endPanel = Math.Min(matrix.Panels, firstPanel + _groupPanels);
        var firstRow = firstPanel * PackedMatrix.PanelRows;
        var rows = Math.Min(matrix.Rows, endPanel * PackedMatrix.PanelRows) - firstRow;
        var slab = _slabs[worker].Of(0);
        var sums = _sums[worker].Of(0);
        if (_vector is not null)
        {
            ComputeVector(firstPanel, endPanel, firstRow, rows, sums);
            return;
        }

        Kernel.Spread(matrix.Bias + firstRow, sums, rows, tile.Width);
        _input!.Begin(tile, worker);
        for (var block = 0; block < matrix.Blocks; block++)
        {
            _input.Fill(slab, block * matrix.BlockColumns, matrix.ColumnsOf(block), tile, worker);
            for (var panel = firstPanel; panel < endPanel; panel++)
            {
                var part = sums + ((long)(panel - firstPanel) * PackedMatrix.PanelRows * tile.Width);
                Kernel.Multiply(matrix.Panel(block, panel), slab, part, tile.Width);
            }
        }

        _output!.AddTo(sums, firstRow, rows, tile);
        Activations.Apply(_activation, sums, (long)rows * tile.Width);
        _output.Write(sums, firstRow, rows, tile);
    }

    [MethodImpl(Compiled.AtOnce)]
    private void ComputeVector(int firstPanel, int endPanel, int firstRow, int rows, float* sums)
    {
        var matrix = _matrix!;
        new ReadOnlySpan<float>(matrix.Bias + firstRow, rows).CopyTo(new Span<float>(sums, rows));
        for (var block = 0; block < matrix.Blocks; block++)
        {
            for (var panel = firstPanel; panel < endPanel; panel++)
            {
                var part = sums + ((panel - firstPanel) * PackedMatrix.PanelRows);
                VectorKernel.Multiply(matrix.Panel(block, panel), _vector + (block * matrix.BlockColumns), part);
            }
        }

        _output!.AddTo(sums, firstRow, rows, new(0, 1, 1));
        Activations.Apply(_activation, sums, (rows + 15) & ~15);
        _output.Write(sums, firstRow, rows, new(0, 1, 1));
    }

    /// <summary>How many groups the rows are split into, so that all threads have work but fill few slabs.</summary>
    private static int Groups(PackedMatrix matrix, long tiles, int threads)
    {
        var least = (matrix.Panels + MostPanels - 1) / MostPanels;
        return threads == 1 || tiles % threads == 0 || tiles >= 8 * threads
            ? least
            : Math.Min(matrix.Panels, Math.Max(least, 2 * threads));
    }

    private void Prepare(int workers)
    {
        var width = Kernel.MostWidth;
        for (var worker = 0; worker < workers; worker++)
        {
            _slabs[worker].Of(((long)_matrix!.BlockColumns * width) + width);
            _sums[worker].Of((long)_groupPanels * PackedMatrix.PanelRows * width);
        }
    }
}
