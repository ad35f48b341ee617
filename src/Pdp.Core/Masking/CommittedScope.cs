using Pdp.Numerics.Kernels;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>
/// Takes what a committed mask covers, PDP's or a method's, through a scope: zeros in weights and gradients, for which no copy is needed.
/// </summary>
internal sealed class CommittedScope : MemoryScope
{
    /// <summary>The number of weights in a piece.</summary>
    private const int PieceLength = 1 << 16;

    private readonly CommittedRange[] _ranges;
    private readonly (CommittedRange Range, long First, int Length)[] _pieces;

    private CommittedScope(string subject, GroupSlices slices, Func<GradientMemory[], IEnumerable<CommittedRange>> ranges)
        : base(subject, slices.Parameters, slices.Parameters)
    {
        _ranges = [.. ranges(Gradients)];
        _pieces = [.. _ranges.SelectMany(Cut)];
    }

    /// <inheritdoc/>
    /// <remarks>None: nothing competes any more.</remarks>
    public override long Elements => 0;

    /// <inheritdoc/>
    public override int Pieces => _pieces.Length;

    /// <inheritdoc/>
    protected override bool WritesAtTheEnd => false;

    /// <summary>Makes the scope of a hard mask, <c>[groups, members]</c>; null if some channels are not contiguous in memory.</summary>
    public static CommittedScope? For(string subject, PdpMask mask, GroupSlices slices, Tensor kept)
    {
        SliceView[] views = slices.Lone is null ? [.. slices.Filters, .. slices.Companions] : [];
        return views.All(view => view.HasRows) ? new(subject, slices, Ranges) : null;

        IEnumerable<CommittedRange> Ranges(GradientMemory[] gradients)
        {
            using var scope = NewDisposeScope();
            return slices.Lone is { } weight
                ? [new(weight, 0, mask.Strategy.Spread(kept, mask.Layout).expand(weight.shape), gradients[0])]
                : [.. views.Select(view => new CommittedRange(
                    view.Parameter, view.Start, kept.reshape(-1, 1).expand(-1, view.Width),
                    gradients[Array.IndexOf(slices.Parameters, view.Parameter)]))];
        }
    }

    /// <inheritdoc/>
    public override bool Prepare(RankSearch search) => true;

    /// <inheritdoc/>
    public override void Enter(int piece)
    {
        var (range, first, length) = _pieces[piece];
        range.WriteZeros(first, length);
    }

    /// <inheritdoc/>
    public override GroupValues? Dense() => null;

    public override void Dispose()
    {
        foreach (var range in _ranges)
            range.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override bool Find()
    {
        var isPlain = true;
        foreach (var range in _ranges)
            isPlain &= range.Find();
        return isPlain;
    }

    /// <inheritdoc/>
    protected override bool IsThere()
    {
        var isThere = true;
        foreach (var range in _ranges)
            isThere &= range.IsThere();
        return isThere;
    }

    /// <inheritdoc/>
    /// <remarks>There is nothing to put back; says whether the zeros are still there.</remarks>
    protected override bool Restore(int piece, bool correctsGradient)
    {
        var (range, first, length) = _pieces[piece];
        if (correctsGradient)
            range.Correct(first, length);
        return range.AreZero(first, length);
    }

    /// <inheritdoc/>
    protected override void AddUp(GradientMemory gradient) => gradient.AddUp();

    private static IEnumerable<(CommittedRange Range, long First, int Length)> Cut(CommittedRange range)
    {
        for (var first = 0L; first < range.Length; first += PieceLength)
            yield return (range, first, (int)Math.Min(PieceLength, range.Length - first));
    }
}
