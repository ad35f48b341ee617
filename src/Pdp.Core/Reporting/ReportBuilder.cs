using Pdp.Internal;
using Pdp.Masking;
using Pdp.Numerics;
using Pdp.Numerics.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Reporting;

/// <summary>Measures masked weights for reports; waits for the device.</summary>
internal static class ReportBuilder
{
    private static readonly Scalar UndecidedFrom = Survey.Undecided.ToScalar();
    private static readonly Scalar UndecidedTo = (1 - Survey.Undecided).ToScalar();
    private static readonly Scalar Zero = 0.ToScalar();

    public static PruningReport Build(PrunedModel model, double epoch, bool hasEnded, bool isCommitted, IEnumerable<string> warnings)
    {
        var measured = model.Layers.Select(layer => Measure(layer.Weight)).ToArray();
        var leak = Share(measured.Sum(layer => layer.Lost), measured.Sum(layer => layer.Total));
        var report = new PruningReport
        {
            Layers = [.. measured.Select(layer => layer.Report)],
            Epoch = epoch,
            IsCommitted = isCommitted,
            ModelParameters = model.Parameters,
            Leak = leak,
            Warnings = [],
            Size = model.SizeAfter(model.Masks.Select(mask => mask.Removed)),
        };
        return report with { Warnings = [.. warnings, .. WarningsOf(report, hasEnded), .. WarningsOf(model)] };
    }

    /// <summary>The report of a commit: the counts of now, with the softness that the masks had just before.</summary>
    public static PruningReport AfterCommit(PruningReport? before, PruningReport after) => before is null ? after : after with
    {
        Layers = [.. before.Layers.Zip(after.Layers, (soft, hard) => hard with
        {
            Threshold = soft.Threshold,
            Temperature = soft.Temperature,
            Sharpness = soft.Sharpness,
            Undecided = soft.Undecided,
            Leak = soft.Leak,
        })],
        Leak = before.Leak,
        Warnings = [.. before.Warnings.Union(after.Warnings)],
    };

    private static IEnumerable<string> WarningsOf(PruningReport report, bool hasEnded)
    {
        if (hasEnded && report.Leak > PruningReport.LeakLimit)
            yield return $"{TextTable.Percent(report.Leak)} of the masked weights' magnitude is in weights that commit removes (more than {TextTable.Percent(PruningReport.LeakLimit)}): the network leans on them. Let the temperature end lower or earlier.";
        if (report.IsCommitted && report.Layers.Sum(layer => layer.Subnormals) is > 0 and var subnormals)
            yield return $"{subnormals} weights are subnormal numbers, which slow down CPUs.";
        if (report.IsCommitted && report.Layers.Where(layer => layer.Violations > 0).Select(layer => layer.Name).ToArray() is { Length: > 0 } names)
            yield return $"Removed weights have come back in {string.Join(", ", names)}: call Commit() again after the last optimizer step.";
    }

    private static IEnumerable<string> WarningsOf(PrunedModel model)
    {
        if (model.Unfrozen.ToArray() is { Length: > 0 } names)
            yield return $"Frozen when the pruner was made, trained by now, and still dense: {string.Join(", ", names)}. Make a new pruner to prune them, or include them from the start.";
        foreach (var warning in model.WarningsOf([.. model.Masks.Select(mask => mask.Target)]))
            yield return warning;
    }

    private static (LayerReport Report, double Lost, double Total) Measure(IMaskedWeight weight) =>
        weight.IsSoft && weight.Mask.Removed > 0 && (weight.Fused as FusedWeight)?.Measured() is { } survey
            ? (ReportOf(weight.Mask, survey), survey.Lost, survey.Total)
            : MeasureByTensors(weight);

    private static LayerReport ReportOf(PdpMask mask, Survey survey) => new()
    {
        Name = mask.Name,
        Strategy = mask.Strategy.Name,
        Elements = mask.Layout.Elements,
        Removed = mask.RemovedWeights,
        Zeros = survey.Zeros,
        Threshold = survey.Threshold,
        Temperature = mask.TemperatureValue * (mask.Temperature.IsRelative ? survey.SquaredThreshold : 1),
        Sharpness = survey.Sharpness,
        Undecided = survey.Open / (double)mask.Layout.Elements,
        Leak = Share(survey.Lost, survey.Total),
        Subnormals = survey.Subnormals,
        Violations = survey.Violations,
    };

    private static (LayerReport Report, double Lost, double Total) MeasureByTensors(IMaskedWeight weight)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using Scalar smallest = Precision.SmallestNormalOf(weight.Type).ToScalar();
        var mask = weight.Mask;
        var wide = Precision.Widen(weight.Value());
        var magnitude = wide.abs();
        var kept = weight.Frozen ?? weight.Kept();
        var boundary = weight.IsSoft && mask.Removed > 0 ? (Boundary?)mask.BoundaryOf(wide) : null;
        var soft = boundary is { } open ? mask.Strategy.Spread(SoftMask.Mask(open.Logit), mask.Layout).expand_as(wide) : Visible(weight, wide, kept);
        var masked = soft.mul(magnitude);
        var total = Read(masked.sum(ScalarType.Float64));
        var lost = Read(masked.mul(kept.logical_not()).sum(ScalarType.Float64));
        var report = new LayerReport
        {
            Name = mask.Name,
            Strategy = mask.Strategy.Name,
            Elements = mask.Layout.Elements,
            Removed = mask.RemovedWeights,
            Zeros = Count(magnitude.eq(Zero)),
            Threshold = Mean(boundary?.Threshold),
            Temperature = mask.Temperature.IsRelative ? mask.TemperatureValue * MeanSquare(boundary?.Threshold) : boundary is null ? null : mask.TemperatureValue,
            Sharpness = MeanSquare(boundary?.Threshold.mul(boundary.Value.Scale)),
            Undecided = Count(soft.gt(UndecidedFrom).logical_and_(soft.lt(UndecidedTo))) / (double)mask.Layout.Elements,
            Leak = Share(lost, total),
            Subnormals = Count(magnitude.gt(Zero).logical_and_(magnitude.lt(smallest))),
            Violations = Violations(mask, magnitude),
        };
        return (report, lost, total);
    }

    /// <summary>1 where the forward pass of a hard mask sees something; zeros that have come back since commit count.</summary>
    private static Tensor Visible(IMaskedWeight weight, Tensor wide, Tensor kept)
    {
        var nonzero = wide.ne(Zero);
        return (weight.Frozen is null ? nonzero.logical_and(kept) : nonzero).to_type(wide.dtype);
    }

    /// <summary>The groups in which more members are nonzero than the pattern allows.</summary>
    private static long Violations(PdpMask mask, Tensor magnitude)
    {
        if (mask.Removed == 0)
            return 0;

        using Scalar allowed = (mask.Members - mask.Removed).ToScalar();
        return Count(mask.Strategy.Sum(magnitude, mask.Layout).ne(Zero).sum(1).gt(allowed));
    }

    private static long Count(Tensor condition) => condition.sum().cpu().ReadCpuInt64(0);

    private static double? Mean(Tensor? values) => values is null ? null : Read(values.mean([], type: ScalarType.Float64));

    /// <summary>In float64, as squares may be too large or too small for the type.</summary>
    private static double? MeanSquare(Tensor? values)
    {
        var wide = values?.to_type(ScalarType.Float64);
        return Mean(wide?.mul(wide));
    }

    private static double Read(Tensor value) => value.cpu().ReadCpuDouble(0);

    private static double Share(double part, double whole) => whole > 0 ? part / whole : 0;
}
