using Pdp.Numerics;
using Pdp.Numerics.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>Tied channels of float32 parameters on the CPU, masked by kernels on their memory: what <see cref="MaskedChannels"/> does, to rounding.</summary>
/// <remarks>Borrows the parameters; owns copies of what is masked. A piece is some channels, with everything that belongs to them.</remarks>
internal sealed class FusedChannels : IFusedWeight, IDisposable
{
    /// <summary>The weights of a piece, about.</summary>
    private const int PieceLength = 1 << 16;

    /// <summary>The largest |Σ(g·θ)| in units of √τ.</summary>
    private const double MostShared = float.MaxValue / 1e6;

    private readonly PdpMask _mask;
    private readonly FusedRows[] _rows;
    private readonly VersionMark[] _versions;
    private readonly NativeGradient[] _gradients;
    private readonly double _scoreSlope;
    private readonly long _channelsPerPiece;
    private readonly double[] _sums;
    private readonly float[] _magnitudes;
    private readonly float[] _sorted;
    private readonly float[] _factors;
    private readonly double[] _slopes;
    private double _scale;
    private int _faults;
    private int _changes;

    private FusedChannels(string subject, PdpMask mask, IReadOnlyList<SliceView> filters, IReadOnlyList<SliceView> companions, bool masksFilters)
    {
        var channels = mask.Members;
        var gradients = filters.Concat(companions).Select(view => view.Parameter).Distinct()
            .ToDictionary(parameter => parameter, parameter => new NativeGradient(parameter, parameter.numel()));
        Subject = subject;
        Elements = channels * filters.Sum(view => view.Width);
        _mask = mask;
        _rows = [.. filters.Concat(companions).Select(view => new FusedRows(view, channels, IsMasked(view), gradients[view.Parameter]))];
        _gradients = [.. gradients.Values];
        _versions = [.. filters.Concat(companions).Where(IsMasked).Select(view => view.Parameter).Distinct().Select(parameter => new VersionMark(parameter))];
        _scoreSlope = mask.Strategy.ScoreSlope(new WeightLayout([channels, Elements / channels]));
        _channelsPerPiece = Math.Max(1, PieceLength / (Elements / channels));
        _sums = new double[channels];
        _slopes = new double[channels];
        (_magnitudes, _sorted, _factors) = (new float[channels], new float[channels], new float[channels]);

        bool IsMasked(SliceView view) => masksFilters || view.Role == ChannelRole.Norm;
    }

    /// <inheritdoc/>
    public string Subject { get; }

    /// <inheritdoc/>
    public long Elements { get; }

    /// <inheritdoc/>
    public int Pieces => (int)((_mask.Members + _channelsPerPiece - 1) / _channelsPerPiece);

    /// <inheritdoc/>
    public bool IsClaimed { get; private set; }

    /// <inheritdoc/>
    public bool IsInside { get; private set; }

    /// <summary>Whether everything is where it was, so that it is restored.</summary>
    public bool IsRestored { get; private set; }

    /// <summary>Whether the gradients are left to the tensor operations.</summary>
    public bool LeavesGradient { get; private set; }

    /// <summary>Whether something was not masked any more at the end of the scope.</summary>
    public bool IsChanged => _changes != 0;

    /// <summary>Whether a gradient arrived in the scope.</summary>
    public bool GradientArrived { get; private set; }

    /// <summary>The kernels for a group; null if it is not of their kind.</summary>
    public static FusedChannels? For(string subject, PdpMask mask, IReadOnlyList<SliceView> filters, IReadOnlyList<SliceView> companions, bool masksFilters)
    {
        var isPlain = NativeTensor.IsSupported && filters.Concat(companions).All(
            view => view.HasRows && view.Parameter.dtype == ScalarType.Float32 && view.Parameter.device_type == DeviceType.CPU);
        return isPlain ? new(subject, mask, filters, companions, masksFilters) : null;
    }

    /// <summary>Takes the group through the coming scope if its memory is of the kernels' kind.</summary>
    public bool Claim()
    {
        IsClaimed = true;
        foreach (var rows in _rows)
            IsClaimed &= rows.Find();
        (IsRestored, LeavesGradient, GradientArrived, _changes, _faults) = (true, false, false, 0, 0);
        return IsClaimed;
    }

    /// <inheritdoc/>
    public void Measure(int piece)
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
    public bool Prepare(RankSearch search)
    {
        if (_faults != 0)
            return false;

        for (var channel = 0; channel < _sums.Length; channel++)
            _magnitudes[channel] = (float)Math.Sqrt(_scoreSlope * _sums[channel]);
        _magnitudes.AsSpan().CopyTo(_sorted);
        _sorted.AsSpan().Sort();
        var threshold = 0.5 * ((double)_sorted[_mask.Removed - 1] + _sorted[_mask.Removed]);
        _scale = _mask.Sharpness.Scale(threshold, float.MaxValue);
        var twiceIfSoft = threshold * _scale < Sharpness.Hard ? 2 : 0;
        for (var channel = 0; channel < _sums.Length; channel++)
        {
            var logit = (_magnitudes[channel] - threshold) * _scale * ((_magnitudes[channel] + threshold) * _scale);
            var (mask, removal) = (1 / (1 + Math.Exp(-logit)), 1 / (1 + Math.Exp(logit)));
            _factors[channel] = mask >= SoftMask.Cut ? (float)mask : 0;
            _slopes[channel] = _factors[channel] * removal * twiceIfSoft * _scoreSlope;
        }

        return true;
    }

    /// <inheritdoc/>
    public void Enter(int piece)
    {
        var (first, end) = Extent(piece);
        for (var channel = first; channel < end; channel++)
        {
            foreach (var rows in _rows)
                rows.Mask(channel, _factors[channel]);
        }
    }

    /// <inheritdoc/>
    public void Entered()
    {
        foreach (var version in _versions)
            version.Change();
        foreach (var gradient in _gradients)
            gradient.SetAside();
        IsInside = true;
    }

    /// <inheritdoc/>
    public void BeginLeave()
    {
        foreach (var rows in _rows)
            IsRestored &= rows.IsThere();
        LeavesGradient = !IsRestored;
        foreach (var gradient in _gradients)
        {
            gradient.Arrive();
            GradientArrived |= gradient.HasArrived;
            LeavesGradient |= !gradient.IsPlain;
        }
    }

    /// <inheritdoc/>
    public void Leave(int piece)
    {
        if (!IsRestored)
            return;

        var (first, end) = Extent(piece);
        for (var channel = first; channel < end; channel++)
        {
            if (!Restore(channel))
                Interlocked.Increment(ref _changes);
            Correct(channel);
        }
    }

    /// <inheritdoc/>
    public void Left()
    {
        IsInside = false;
        if (LeavesGradient)
            return;

        foreach (var version in _versions)
            version.Change();
        foreach (var gradient in _gradients)
        {
            gradient.AddUp();
            gradient.PutBack();
        }
    }

    /// <summary>Gives up the claim.</summary>
    public void Release() => IsClaimed = false;

    /// <summary>The filters as they were, <c>[channels, weights]</c>; a copy.</summary>
    public Tensor Filters() => cat([.. _rows.Where(rows => rows.Role == ChannelRole.Filter).Select(rows => rows.Dense())], 1);

    /// <summary>The companions as they were, <c>[channels, …]</c> each; copies.</summary>
    public Tensor[] Companions() => [.. _rows.Where(rows => rows.Role != ChannelRole.Filter).Select(rows => rows.Dense())];

    /// <summary>The gradients that were set aside, by parameter; the caller's.</summary>
    public Tensor?[] TakeGradientsBefore() => [.. _gradients.Select(gradient => gradient.TakeBefore())];

    public void Dispose()
    {
        foreach (var rows in _rows)
            rows.Dispose();
        foreach (var version in _versions)
            version.Dispose();
        foreach (var gradient in _gradients)
            gradient.Dispose();
    }

    private (long First, long End) Extent(int piece) => (piece * _channelsPerPiece, Math.Min(_mask.Members, (piece + 1) * _channelsPerPiece));

    private bool Restore(long channel)
    {
        var isUnchanged = true;
        foreach (var rows in _rows)
            isUnchanged &= rows.Restore(channel, _factors[channel]);
        return isUnchanged;
    }

    /// <summary>Equation 5 of one channel: m·g, and for what makes the score (∂s/∂w)·(1/τ)·m(1 − m)·Σ(g·θ).</summary>
    private void Correct(long channel)
    {
        if (!GradientArrived || LeavesGradient)
            return;

        var shared = 0.0;
        foreach (var rows in _rows)
            shared += rows.IsMasked ? rows.Upstream(channel) : 0;

        // In units of √τ, and bounded, as in SoftMask.
        var slope = (float)(_slopes[channel] * Math.Clamp(shared * _scale, -MostShared, MostShared));
        foreach (var rows in _rows)
            rows.Correct(channel, rows.IsMasked ? _factors[channel] : 1, rows.Role == ChannelRole.Filter ? slope : 0, (float)_scale);
    }
}
