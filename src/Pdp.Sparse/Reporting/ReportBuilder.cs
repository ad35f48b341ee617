using System.Globalization;
using Pdp.Sparse.Layers;
using Pdp.Sparse.Packing;
using Pdp.Sparse.Trials;

namespace Pdp.Sparse.Reporting;

/// <summary>Makes the report of a packing.</summary>
/// <param name="options">The options.</param>
/// <param name="trial">What was tried; null if nothing was.</param>
/// <param name="weights">The weights of the model, as they were before they were packed.</param>
internal sealed class ReportBuilder(SparseOptions options, Trial? trial, IReadOnlyList<WeightEntry> weights)
{
    /// <summary>The times of the whole model; null if it was not timed.</summary>
    public ModelTimes? Times { get; init; }

    /// <summary>What else is worth knowing.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>The report.</summary>
    /// <param name="packed">The layers that have another form now.</param>
    public SparseReport Build(IReadOnlyList<PackedLayer> packed) => new()
    {
        Layers = [.. weights.Select(weight => Row(weight, packed.FirstOrDefault(layer => layer.Layer == weight.Layer)))],
        DenseMilliseconds = Times?.Plain,
        FoldedMilliseconds = Times?.Folded,
        PackedMilliseconds = Times?.Settled,
        Notes = Notes,
    };

    private SparseLayerReport Row(WeightEntry weight, PackedLayer? layer)
    {
        var tried = trial?.Layers.FirstOrDefault(layer => layer.Weight == weight);
        return new()
        {
            Name = weight.Info.Name,
            Shape = weight.Info.Layout.Shape,
            Zeros = weight.Zeros,
            Form = layer?.Form ?? LayerForm.Dense,
            Reason = Reason(weight, tried, layer?.Form == LayerForm.Packed),
            DenseMilliseconds = tried?.Times?.Dense,
            PackedMilliseconds = tried?.Times?.Packed,
            Folded = [.. layer?.Fold.Followers.Select(module => module.Name) ?? []],
            DenseBytes = weight.Bytes,
            Bytes = layer?.Bytes ?? weight.Bytes,
        };
    }

    private string Reason(WeightEntry weight, TrialLayer? tried, bool isPacked)
    {
        if (isPacked)
            return trial is null ? "by the plan" : trial.IsForced(weight) ? "included" : Ratio(tried!, "faster");
        if (LayerChoice.ReasonAgainst(weight, options) is { } reason)
            return reason;
        if (weight.Zeros == 0)
            return "no zeros";
        if (trial is null)
            return options.Plan is null ? "not tried" : "by the plan";
        if (tried is null)
            return "did not run on the example, or ran by forward() instead of call()";
        if (tried.Refusal is { } refusal)
            return refusal;
        if (tried.Times is not { } times)
            return "not timed";
        return times.Packed < times.Dense
            ? "hardly gains"
            : Ratio(tried, "slower");
    }

    private static string Ratio(TrialLayer layer, string word)
    {
        var (dense, packed) = layer.Times!.Value;
        var ratio = word == "faster" ? dense / packed : packed / dense;
        return string.Create(CultureInfo.InvariantCulture, $"{ratio:0.0}× {word} packed");
    }
}
