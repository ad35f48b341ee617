using System.Text.Json;
using Pdp.Internal;
using Pdp.Reporting;

namespace Pdp;

/// <summary>The plan for each weight of a model, known before training.</summary>
/// <remarks>
/// The totals are final. An allocation by magnitude divides them when pruning begins, by the weights of that time; until then the plan
/// shows the division by the current weights. Under a budget of multiply-accumulates these are the final total, and the number of weights
/// removed is decided when pruning begins.
/// </remarks>
public sealed record PruningPlan
{
    /// <summary>The parameters of two or more dimensions under all of their names, in the order of the model's parameters.</summary>
    public required IReadOnlyList<PlannedLayer> Layers { get; init; }

    /// <summary>The number of parameters of the model, including biases and norms, tied ones counted once.</summary>
    public required long ModelParameters { get; init; }

    /// <summary>The bytes of all parameters, dense and in a file of Pdp.Sparse; null in plans of earlier versions.</summary>
    public FileSize? File { get; init; }

    /// <summary>Whether the counts of the layers are final.</summary>
    public required bool IsFinal { get; init; }

    /// <summary>The model's size after it is finally shrunk; null if channels are not pruned in groups.</summary>
    public SizeChange? Size { get; init; }

    /// <summary>Warnings to look at before training; empty if all is well.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The number of weights in the layers that are pruned.</summary>
    public long PrunableWeights => Layers.Where(layer => layer.DenseReason is null).Sum(layer => layer.Elements);

    /// <summary>The total number of weights to be removed.</summary>
    public long Removed => Layers.Sum(layer => layer.Removed);

    /// <summary>The fraction of the prunable weights to be removed, in [0, 1).</summary>
    public double Sparsity => PrunableWeights == 0 ? 0 : (double)Removed / PrunableWeights;

    /// <summary>The fraction of all parameters to be removed, in [0, 1).</summary>
    public double ModelSparsity => (double)Removed / ModelParameters;

    /// <summary>Writes the plan as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Readable.PruningPlan);

    /// <summary>Reads a plan that was kept with a run.</summary>
    /// <param name="json">What <see cref="ToJson"/> wrote.</param>
    /// <exception cref="ArgumentException">It is damaged or is not the JSON of a plan.</exception>
    public static PruningPlan FromJson(string json)
    {
        var plan = StrictJson.Read(json, ReportJson.Strict.PruningPlan, "The plan");
        StrictJson.Require("The plan", plan.Layers.Select(layer => (layer.Name, layer.Fault)), plan.PrunableWeights, plan.ModelParameters);
        return plan;
    }

    /// <summary>Formats the plan as a table of 100 columns; columns that don't fit are only in the JSON.</summary>
    public override string ToString()
    {
        var table = new TextTable("layer", "shape", "strategy", "weights", "removed", "kept", "sparsity", "in file");
        foreach (var layer in Layers)
            table.Add(layer.Name, layer.Shape, layer.Strategy ?? "dense", layer.Elements, layer.Removed, layer.Kept,
                TextTable.Percent(layer.Sparsity), TextTable.Whole(layer.FileBytes), layer.DenseReason ?? layer.Rule ?? "");
        table.Add("all prunable", "", "", PrunableWeights, Removed, PrunableWeights - Removed, TextTable.Percent(Sparsity), TextTable.None,
            IsFinal ? "" : "division may change when pruning begins");
        table.Add("whole model", "", "", ModelParameters, Removed, ModelParameters - Removed, TextTable.Percent(ModelSparsity),
            TextTable.Whole(File?.Sparse), "");
        var (text, _) = table.Fit("kept", "shape");
        return string.Concat([text, File is null ? "" : $"{File}{Environment.NewLine}",
            Size is null ? "" : $"{Size}{Environment.NewLine}",
            .. Warnings.Select(warning => $"warning: {warning}{Environment.NewLine}")]);
    }
}
