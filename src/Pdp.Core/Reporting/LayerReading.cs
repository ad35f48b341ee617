using Pdp.Internal;
using Pdp.Masking;
using static TorchSharp.torch;

namespace Pdp.Reporting;

/// <summary>What metrics say of the masks of one layer, or of all together, in sums that add up.</summary>
/// <param name="Layer">The layer; null for all together.</param>
/// <param name="Elements">The weights.</param>
/// <param name="Removed">The weights that the hard masks remove.</param>
/// <param name="Kept">Σ m.</param>
/// <param name="Undecided">The weights with a soft mask in (0.05, 0.95).</param>
/// <param name="Lost">Σ|ŵ| over what the hard masks remove.</param>
/// <param name="Total">Σ|ŵ|.</param>
/// <param name="Flips">The weights that the hard masks keep and removed at the last reading, or the other way round.</param>
internal sealed record LayerReading(
    string? Layer, double Elements, double Removed, double Kept, double Undecided, double Lost, double Total, long Flips)
{
    /// <summary>Reads a layer outside of a scope; waits for the device.</summary>
    /// <param name="group">The layer.</param>
    /// <param name="before">The hard mask of the last reading; null for the first, at which nothing has flipped.</param>
    /// <returns>The reading, and the hard mask, which is the caller's and in no dispose scope.</returns>
    public static (LayerReading Reading, Tensor Kept) Of(MaskGroup group, Tensor? before)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var mask = group.Mask;
        var wide = Precision.Widen(group.Value());
        var kept = mask.Strategy.Spread(group.Frozen ?? group.Kept(), mask.Layout).expand_as(wide).contiguous();
        var boundary = ReportBuilder.BoundaryOf(group);
        var soft = ReportBuilder.SoftMaskOf(group, boundary, wide, kept);
        var masked = soft.mul(wide.abs());
        var reading = new LayerReading(
            mask.Name,
            mask.Layout.Elements,
            mask.RemovedWeights,
            // A hard mask keeps weights that are zero by themselves.
            Kept: Sum(boundary is null ? kept : soft),
            Undecided: Sum(ReportBuilder.IsUndecided(soft)),
            Lost: Sum(masked.mul(kept.logical_not())),
            Total: Sum(masked),
            Flips: before is null ? 0 : (long)Sum(kept.ne(before)));
        return (reading, kept.clone().DetachFromDisposeScope());
    }

    /// <summary>All layers together.</summary>
    public static LayerReading OfAll(IReadOnlyList<LayerReading> layers) => new(
        null,
        layers.Sum(layer => layer.Elements),
        layers.Sum(layer => layer.Removed),
        layers.Sum(layer => layer.Kept),
        layers.Sum(layer => layer.Undecided),
        layers.Sum(layer => layer.Lost),
        layers.Sum(layer => layer.Total),
        layers.Sum(layer => layer.Flips));

    private static double Sum(Tensor values) => values.sum(ScalarType.Float64).cpu().ReadCpuDouble(0);
}
