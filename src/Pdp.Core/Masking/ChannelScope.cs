using Pdp.Numerics;
using Pdp.Numerics.Kernels;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>Takes channels through a scope in their memory. A piece is a range of channels with everything that belongs to them.</summary>
internal sealed class ChannelScope : MemoryScope
{
    /// <summary>The approximate number of weights in a piece.</summary>
    private const int PieceLength = 1 << 16;

    /// <summary>The largest |Σ(g·θ)| in units of √τ.</summary>
    private const double MostShared = float.MaxValue / 1e6;

    private readonly PdpMask _mask;
    private readonly MemoryRows[] _rows;
    private readonly double _scoreSlope;
    private readonly long _channelsPerPiece;
    private readonly double[] _sums;
    private readonly float[] _magnitudes;
    private readonly float[] _sorted;
    private readonly float[] _factors;
    private readonly float[] _gradientFactors;
    private readonly double[] _slopes;
    private readonly double[] _surplus;
    private double _scale;
    private double _gradientScale;
    private float _unit;
    private float _share;
    private int _faults;

    private ChannelScope(string subject, PdpMask mask, GroupSlices slices, SliceView[] views)
        : base(subject, slices.Parameters, views.Where(view => IsMasked(view, slices)).Select(view => view.Parameter).Distinct())
    {
        var channels = mask.Members;
        var gradients = slices.Parameters.Zip(Gradients).ToDictionary(pair => pair.First, pair => pair.Second);
        _mask = mask;
        _rows = [.. views.Select(view => new MemoryRows(view, channels, IsMasked(view, slices), gradients[view.Parameter]))];
        _scoreSlope = mask.Strategy.ScoreSlope(mask.Layout);
        _channelsPerPiece = Math.Max(1, PieceLength / (Elements / channels));
        _sums = new double[channels];
        _slopes = new double[channels];
        _surplus = new double[channels];
        (_magnitudes, _sorted) = (new float[channels], new float[channels]);
        (_factors, _gradientFactors) = (new float[channels], new float[channels]);
    }

    /// <inheritdoc/>
    public override long Elements => _mask.Layout.Elements;

    /// <inheritdoc/>
    public override int Pieces => (int)((_mask.Members + _channelsPerPiece - 1) / _channelsPerPiece);

    /// <inheritdoc/>
    public override bool Measures => true;

    /// <summary>Makes the scope of channels; null if some channels are not contiguous in memory.</summary>
    public static new ChannelScope? For(string subject, PdpMask mask, GroupSlices slices)
    {
        SliceView[] views = [.. slices.Filters, .. slices.Companions];
        return views.All(view => view.HasRows) ? new(subject, mask, slices, views) : null;
    }

    /// <inheritdoc/>
    public override void Measure(int piece)
    {
        var (first, end) = Extent(piece);
        for (var channel = first; channel < end; channel++)
        {
            var (score, others) = (0.0, 0.0);
            foreach (var rows in _rows)
            {
                if (rows.Role == ChannelRole.Filter)
                    score += rows.SumOfSquares(channel);
                else
                    others += rows.SumOfSquares(channel);
            }

            _sums[channel] = score;
            // In float64 no sum of finite float32 squares overflows.
            if (!double.IsFinite(score + others))
                Interlocked.Increment(ref _faults);
        }
    }

    /// <inheritdoc/>
    public override bool Prepare(RankSearch search)
    {
        if (_faults != 0)
            return false;

        for (var channel = 0; channel < _sums.Length; channel++)
            _magnitudes[channel] = (float)Math.Sqrt(_scoreSlope * _sums[channel]);
        _magnitudes.AsSpan().CopyTo(_sorted);
        _sorted.AsSpan().Sort();
        var threshold = 0.5 * ((double)_sorted[_mask.Removed - 1] + _sorted[_mask.Removed]);
        _scale = _mask.Sharpness.Scale(threshold, float.MaxValue);
        _gradientScale = _mask.GradientSharpness?.Scale(threshold, float.MaxValue) ?? _scale;
        IsRadiallyCorrected = _mask.IsRadiallyCorrected;
        var twiceIfSoft = threshold * _gradientScale < Sharpness.Hard ? 2 : 0;
        for (var channel = 0; channel < _sums.Length; channel++)
        {
            (_factors[channel], _) = MaskOf(_magnitudes[channel], threshold, _scale);
            (_gradientFactors[channel], var removal) = MaskOf(_magnitudes[channel], threshold, _gradientScale);
            _slopes[channel] = _gradientFactors[channel] * removal * twiceIfSoft * _scoreSlope;
        }

        return true;
    }

    /// <inheritdoc/>
    public override void Enter(int piece)
    {
        var (first, end) = Extent(piece);
        for (var channel = first; channel < end; channel++)
        {
            foreach (var rows in _rows)
                rows.Mask(channel, _factors[channel]);
        }
    }

    /// <inheritdoc/>
    public override void TotalSurplus()
    {
        var norm = Math.Sqrt(_sums.Sum());
        _unit = (float)Math.Min(1 / norm, float.MaxValue);
        _share = RadialCorrection.Share(_surplus.Sum(), norm);
    }

    /// <inheritdoc/>
    public override void TakeSurplus(int piece)
    {
        if (_share == 0)
            return;

        var (first, end) = Extent(piece);
        for (var channel = first; channel < end; channel++)
        {
            foreach (var rows in _rows)
            {
                if (rows.Role == ChannelRole.Filter)
                    rows.Correct(channel, factor: 1, -_share, _unit);
            }
        }
    }

    /// <inheritdoc/>
    public override GroupValues Dense()
    {
        using var scope = NewDisposeScope();
        var filters = cat([.. _rows.Where(rows => rows.Role == ChannelRole.Filter).Select(rows => rows.Dense())], 1);
        return new GroupValues(
            filters.reshape(_mask.Layout.Dimensions),
            [.. _rows.Where(rows => rows.Role != ChannelRole.Filter).Select(rows => rows.Dense())])
            .Select(values => values.MoveToOuterDisposeScope());
    }

    /// <inheritdoc/>
    public override void Forget()
    {
        foreach (var rows in _rows)
            rows.Forget();
    }

    /// <inheritdoc/>
    protected override bool Find()
    {
        _faults = 0;
        var isPlain = true;
        foreach (var rows in _rows)
            isPlain &= rows.Find();
        return isPlain;
    }

    /// <inheritdoc/>
    protected override bool IsThere()
    {
        var isThere = true;
        foreach (var rows in _rows)
            isThere &= rows.IsThere();
        return isThere;
    }

    /// <inheritdoc/>
    protected override bool Restore(int piece, bool correctsGradient)
    {
        var isUnchanged = true;
        var (first, end) = Extent(piece);
        for (var channel = first; channel < end; channel++)
        {
            foreach (var rows in _rows)
                isUnchanged &= rows.Restore(channel, _factors[channel]);
            if (correctsGradient)
                Correct(channel);
        }

        return isUnchanged;
    }

    /// <inheritdoc/>
    protected override void AddUp(GradientMemory gradient) => gradient.AddUp();

    /// <summary>Norms always are; filters and biases are unless the norms alone carry the mask.</summary>
    private static bool IsMasked(SliceView view, GroupSlices slices) => slices.MasksFilters || view.Role == ChannelRole.Norm;

    /// <summary>Equation 2, m, cut as <see cref="SoftMask.Mask"/> cuts it, and 1 − m.</summary>
    private static (float Mask, double Removal) MaskOf(double magnitude, double threshold, double scale)
    {
        var logit = (magnitude - threshold) * scale * ((magnitude + threshold) * scale);
        var (mask, removal) = (1 / (1 + Math.Exp(-logit)), 1 / (1 + Math.Exp(logit)));
        return (mask >= Sharpness.SmallestMask ? (float)mask : 0, removal);
    }

    private (long First, long End) Extent(int piece) =>
        (piece * _channelsPerPiece, Math.Min(_mask.Members, (piece + 1) * _channelsPerPiece));

    /// <summary>Equation 5 for one channel: m·g, plus (∂s/∂w)·(1/τ)·m(1 − m)·Σ(g·θ) for the weights that make its score.</summary>
    private void Correct(long channel)
    {
        var (shared, filters) = (0.0, 0.0);
        foreach (var rows in _rows)
        {
            var upstream = rows.IsMasked ? rows.Upstream(channel) : 0;
            shared += upstream;
            filters += rows.Role == ChannelRole.Filter ? upstream : 0;
        }

        // In units of √τ, and bounded, as in SoftMask.
        var slope = (float)(_slopes[channel] * Math.Clamp(shared * _gradientScale, -MostShared, MostShared));
        _surplus[channel] = ((_gradientFactors[channel] - _factors[channel]) * filters) + (slope * _gradientScale * _sums[channel]);
        foreach (var rows in _rows)
            rows.Correct(
                channel, rows.IsMasked ? _gradientFactors[channel] : 1, rows.Role == ChannelRole.Filter ? slope : 0, (float)_gradientScale);
    }
}
