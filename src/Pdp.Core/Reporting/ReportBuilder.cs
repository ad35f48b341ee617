using Pdp.Internal;
using Pdp.Masking;
using Pdp.Numerics;
using Pdp.Numerics.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Reporting;

/// <summary>Measures masked weights for reports, and waits for the device.</summary>
internal static class ReportBuilder
{
    private static readonly Scalar UndecidedFrom = MaskStatistics.Undecided.ToScalar();
    private static readonly Scalar UndecidedTo = (1 - MaskStatistics.Undecided).ToScalar();
    private static readonly Scalar Zero = 0.ToScalar();

    /// <summary>The current softness of the masks.</summary>
    public static Softness[] Softness(IEnumerable<PrunedLayer> layers) => [.. layers.Select(layer => Measure(layer.Group).Softness)];

    /// <summary>What a report says of each layer, and the share of Σ|ŵ| over all that the hard masks remove.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="before">The softness of their masks before the commit that is reported; null to measure it.</param>
    public static (LayerReport[] Layers, double Leak) Measure(IReadOnlyList<PrunedLayer> layers, Softness[]? before)
    {
        (Softness Softness, WeightCounts Counts)[] measured = [.. layers.Select((layer, i) => before is null
            ? Measure(layer.Group)
            : (before[i], CountsOf(layer.Group)))];
        return (
            [.. layers.Zip(measured, (layer, of) => ReportOf(layer.Group, of.Softness, of.Counts))],
            Share(measured.Sum(of => of.Softness.Lost), measured.Sum(of => of.Softness.Total)));
    }

    /// <summary>What should be looked at in the numbers of a report.</summary>
    public static IEnumerable<string> WarningsOf(PruningReport report, bool hasEnded)
    {
        if (hasEnded && report.Leak > PruningReport.LeakLimit)
            yield return $"{TextTable.Percent(report.Leak)} of the masked weights' magnitude is in weights that commit removes (more than "
                + $"{TextTable.Percent(PruningReport.LeakLimit)}): the network still relies on them. Let the temperature end lower or "
                + "earlier.";
        if (report.IsCommitted && report.Layers.Sum(layer => layer.Subnormals) is > 0 and var subnormals)
            yield return $"{subnormals} weights are subnormal numbers, which slow down CPUs.";
        if (report.IsCommitted && report.Layers.Where(layer => layer.Violations > 0)
            .Select(layer => layer.Name)
            .ToArray() is { Length: > 0 } names)
            yield return $"Removed weights have come back in {string.Join(", ", names)}: call Commit() again after the last optimizer "
                + "step.";
    }

    private static LayerReport ReportOf(MaskGroup group, Softness softness, WeightCounts counts) => new()
    {
        Name = group.Mask.Name,
        Strategy = group.Mask.Strategy.Name,
        Elements = group.Mask.Layout.Elements,
        Removed = group.Mask.RemovedWeights,
        Zeros = counts.Zeros,
        Threshold = softness.Threshold,
        Temperature = MeanOf(group.Mask.Temperature, group.Mask.TemperatureValue, softness),
        GradientTemperature = group.Mask.GradientTemperature is { } gradient
            ? MeanOf(gradient, group.Mask.GradientTemperatureValue!.Value, softness)
            : null,
        Sharpness = softness.Sharpness,
        Undecided = softness.Undecided,
        Leak = Share(softness.Lost, softness.Total),
        Subnormals = counts.Subnormals,
        Violations = counts.Violations,
        FileBytes = FileAccount.Of(group, Math.Max(group.Mask.RemovedWeights, counts.Zeros)),
    };

    /// <summary>τ, the mean over the groups, of a temperature whose current value is τ or ρ.</summary>
    private static double? MeanOf(Temperature temperature, double value, Softness softness) =>
        softness.SquaredThreshold is { } square ? value * (temperature.IsRelative ? square : 1) : null;

    private static (Softness Softness, WeightCounts Counts) Measure(MaskGroup group) =>
        group.IsSoft && group.Mask.Removed > 0 && group.Memory?.Measured() is { } statistics
            ? (SoftnessOf(group.Mask, statistics), new(statistics.Zeros, statistics.Subnormals, statistics.Violations))
            : (SoftnessOf(group), CountsOf(group));

    private static Softness SoftnessOf(PdpMask mask, MaskStatistics statistics) => new(
        statistics.Threshold,
        statistics.SquaredThreshold,
        statistics.MeanSharpness,
        statistics.Open / (double)mask.Layout.Elements,
        statistics.Lost,
        statistics.Total);

    private static Softness SoftnessOf(MaskGroup group)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var mask = group.Mask;
        var wide = Precision.Widen(group.Value());
        var kept = mask.Strategy.Spread(group.Frozen ?? group.Kept(), mask.Layout);
        var boundary = BoundaryOf(group);
        var soft = SoftMaskOf(group, boundary, wide, kept);
        var masked = soft.mul(wide.abs());
        return new(
            Mean(boundary?.Threshold),
            MeanSquare(boundary?.Threshold),
            MeanSquare(boundary?.Threshold.mul(boundary.Value.Scale)),
            Count(IsUndecided(soft)) / (double)mask.Layout.Elements,
            Lost: Read(masked.mul(kept.logical_not()).sum(ScalarType.Float64)),
            Total: Read(masked.sum(ScalarType.Float64)));
    }

    /// <summary>What the current mask depends on; null where it is not soft, or removes nothing. In the caller's scope.</summary>
    public static Boundary? BoundaryOf(MaskGroup group) =>
        group.IsSoft && group.Mask.Removed > 0 ? group.Mask.BoundaryBetween(group.Magnitude()) : null;

    /// <summary>What a weight, in its arithmetic type, is multiplied by in the forward pass; in the caller's scope.</summary>
    public static Tensor SoftMaskOf(MaskGroup group, Boundary? boundary, Tensor wide, Tensor kept) => boundary is { } open
        ? group.Mask.Strategy.Spread(SoftMask.Mask(open.Logit), group.Mask.Layout).expand_as(wide)
        : Visible(group, wide, kept);

    /// <summary>Where a soft mask is neither nearly 0 nor nearly 1; in the caller's scope.</summary>
    public static Tensor IsUndecided(Tensor soft) => soft.gt(UndecidedFrom).logical_and_(soft.lt(UndecidedTo));

    private static WeightCounts CountsOf(MaskGroup group)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using Scalar smallest = Precision.SmallestNormalOf(group.Type).ToScalar();
        var magnitude = Precision.Widen(group.Value()).abs();
        return new(
            Zeros: Count(magnitude.eq(Zero)),
            Subnormals: Count(magnitude.gt(Zero).logical_and_(magnitude.lt(smallest))),
            Violations: Violations(group.Mask, magnitude));
    }

    /// <summary>1 where the forward pass of a hard mask sees something; zeros that have come back since commit count.</summary>
    private static Tensor Visible(MaskGroup group, Tensor wide, Tensor kept)
    {
        var nonzero = wide.ne(Zero);
        return (group.Frozen is null ? nonzero.logical_and(kept) : nonzero).to_type(wide.dtype);
    }

    /// <summary>The number of groups with more nonzero members than the pattern allows.</summary>
    private static long Violations(PdpMask mask, Tensor magnitude)
    {
        if (mask.Removed == 0)
            return 0;

        using Scalar allowed = (mask.Members - mask.Removed).ToScalar();
        return Count(mask.Strategy.Sum(magnitude, mask.Layout).ne(Zero).sum(1).gt(allowed));
    }

    private static long Count(Tensor condition) => condition.sum().cpu().ReadCpuInt64(0);

    private static double? Mean(Tensor? values) => values is null ? null : Read(values.mean([], type: ScalarType.Float64));

    /// <summary>In float64, as squares may overflow or underflow.</summary>
    private static double? MeanSquare(Tensor? values)
    {
        var wide = values?.to_type(ScalarType.Float64);
        return Mean(wide?.mul(wide));
    }

    private static double Read(Tensor value) => value.cpu().ReadCpuDouble(0);

    private static double Share(double part, double whole) => whole > 0 ? part / whole : 0;
}
