using System.Text.Json;
using Pdp.Internal;
using Pdp.Reporting;

namespace Pdp;

/// <summary>What will happen to each weight of a model, known before training.</summary>
/// <remarks>
/// The totals are final. How an allocation by magnitude divides them is decided when pruning begins, from the weights of that time; until
/// then the plan shows the division by the weights of today. Under a budget of multiply-accumulates that is the final total, and the weights
/// that it takes are decided then too.
/// </remarks>
public sealed record PruningPlan
{
    /// <summary>The parameters of two or more dimensions under all of their names, in the order of the model's parameters.</summary>
    public required IReadOnlyList<PlannedLayer> Layers { get; init; }

    /// <summary>All parameters of the model, biases and norms included; tied ones once.</summary>
    public required long ModelParameters { get; init; }

    /// <summary>Whether the counts of the layers are final.</summary>
    public required bool IsFinal { get; init; }

    /// <summary>The model's size when it is shrunk in the end; null where channels are not pruned in groups.</summary>
    public SizeChange? Size { get; init; }

    /// <summary>What should be looked at before training; empty where all is well.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The weights of the layers that are pruned.</summary>
    public long PrunableWeights => Layers.Where(layer => layer.DenseReason is null).Sum(layer => layer.Elements);

    /// <summary>The weights to be removed in all.</summary>
    public long Removed => Layers.Sum(layer => layer.Removed);

    /// <summary>The fraction of the prunable weights to be removed, in [0, 1).</summary>
    public double Sparsity => PrunableWeights == 0 ? 0 : (double)Removed / PrunableWeights;

    /// <summary>The fraction of all parameters to be removed, in [0, 1).</summary>
    public double ModelSparsity => (double)Removed / ModelParameters;

    /// <summary>The plan as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Readable.PruningPlan);

    /// <summary>Reads a plan that was kept with a run.</summary>
    /// <param name="json">What <see cref="ToJson"/> wrote.</param>
    /// <exception cref="ArgumentException">It is damaged, or not the JSON of a plan.</exception>
    public static PruningPlan FromJson(string json)
    {
        var plan = StrictJson.Read(json, ReportJson.Strict.PruningPlan, "The plan");
        StrictJson.Require("The plan", plan.Layers.Select(layer => (layer.Name, layer.Fault)), plan.PrunableWeights, plan.ModelParameters);
        return plan;
    }

    /// <summary>The plan as a table to read, in 100 columns; JSON has what doesn't fit.</summary>
    public override string ToString()
    {
        var table = new TextTable("layer", "shape", "strategy", "weights", "removed", "kept", "sparsity");
        foreach (var layer in Layers)
            table.Add(layer.Name, layer.Shape, layer.Strategy ?? "dense", layer.Elements, layer.Removed, layer.Kept, TextTable.Percent(layer.Sparsity), layer.DenseReason ?? layer.Rule ?? "");
        table.Add("all prunable", "", "", PrunableWeights, Removed, PrunableWeights - Removed, TextTable.Percent(Sparsity), IsFinal ? "" : "division may change when pruning begins");
        table.Add("whole model", "", "", ModelParameters, Removed, ModelParameters - Removed, TextTable.Percent(ModelSparsity), "");
        var (text, _) = table.Fit("kept", "shape");
        return string.Concat([text, Size is null ? "" : $"{Size}{Environment.NewLine}", .. Warnings.Select(warning => $"warning: {warning}{Environment.NewLine}")]);
    }
}
