namespace Pdp.Numerics.Kernels;

/// <summary>One threshold for the whole weight.</summary>
internal sealed unsafe class UnstructuredKernel(long count) : IMaskKernel
{
    /// <summary>The number of weights in a piece. With their copy and gradient they fit in the second-level cache.</summary>
    private const int PieceLength = 1 << 16;

    private float _threshold;
    private float _scale;
    private Sharpness? _gradient;
    private float* _competing;

    /// <inheritdoc/>
    public int Pieces => (int)((count + PieceLength - 1) / PieceLength);

    /// <summary>The weights of a piece.</summary>
    /// <param name="piece">The piece.</param>
    /// <param name="count">All weights.</param>
    public static (long Start, int Length) Extent(int piece, long count)
    {
        var start = (long)piece * PieceLength;
        return (start, (int)Math.Min(PieceLength, count - start));
    }

    /// <summary>Sets the threshold t, the midpoint of two magnitudes, the temperature, and that of the gradient if it differs.</summary>
    /// <param name="below">The magnitude below t.</param>
    /// <param name="above">The magnitude above t.</param>
    /// <param name="sharpness">The temperature.</param>
    /// <param name="gradient">The temperature of the gradient.</param>
    /// <param name="competing">What the weights compete by, in memory that extends a vector beyond them; null if by themselves.</param>
    public void Set(float below, float above, Sharpness sharpness, Sharpness? gradient = null, float* competing = null)
    {
        _gradient = gradient;
        _competing = competing;
        _threshold = (below + above) * 0.5f;
        _scale = (float)sharpness.Scale(_threshold, float.MaxValue);
    }

    /// <inheritdoc/>
    public void Enter(int piece, float* weight, float* dense)
    {
        var (start, length) = Extent(piece);
        Lanes.Pass.Enter(weight + start, dense + start, length, _threshold, _scale, IMaskPass.At(_competing, start));
    }

    /// <inheritdoc/>
    public bool Leave(int piece, float* weight, float* dense, float* gradient, float* sum, RadialSums* radial)
    {
        var (start, length) = Extent(piece);
        gradient = IMaskPass.At(gradient, start);
        sum = IMaskPass.At(sum, start);
        return Lanes.Pass.Leave(
            weight + start, dense + start, gradient, sum, length, _threshold, _scale, _gradient, IMaskPass.At(_competing, start), radial);
    }

    /// <summary>Adds the weight to the statistics of a report, with the boundary that was set last.</summary>
    public void AddTo(MaskStatistics statistics, float* weight, long removed, int cut)
    {
        var totals = default(CountTotals);
        for (var piece = 0; piece < Pieces; piece++)
        {
            var (start, length) = Extent(piece);
            KeyScan.Count((int*)weight + start, length, cut, cut, &totals);
        }

        statistics.AddOne(weight, count, _threshold, _scale, removed, cut, totals.Below);
    }

    /// <inheritdoc/>
    public (long Start, int Length) Extent(int piece) => Extent(piece, count);
}
