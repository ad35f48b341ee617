using System.Globalization;
using System.Text;
using System.Text.Json;
using Pdp.Internal;
using Pdp.Reporting;

namespace Pdp;

/// <summary>The effect of pruning on a model, per layer and in total.</summary>
public sealed record PruningReport
{
    /// <summary>The leak above which a warning is given once the schedule has ended.</summary>
    internal const double LeakLimit = 0.01;

    private static readonly string Legend =
        $"undecided: masks in (0.05, 0.95); leak: fraction of |ŵ| that commit takes away;{Environment.NewLine}violations: groups with more "
            + "weights left than allowed.";

    /// <summary>The pruned layers, in the order of the model's parameters.</summary>
    public required IReadOnlyList<LayerReport> Layers { get; init; }

    /// <summary>The epoch of the last <c>BeginEpoch</c>.</summary>
    public required double Epoch { get; init; }

    /// <summary>Whether the zeros are final.</summary>
    public required bool IsCommitted { get; init; }

    /// <summary>The number of parameters of the model, including biases and norms, tied ones counted once.</summary>
    public required long ModelParameters { get; init; }

    /// <summary>
    /// The bytes of all parameters, dense and in a file of Pdp.Sparse when what the hard masks remove is zero; null in reports of earlier
    /// versions.
    /// </summary>
    public FileSize? File { get; init; }

    /// <summary>The model's size if it were shrunk by the current masks; null if channels are not pruned in groups.</summary>
    public SizeChange? Size { get; init; }

    /// <summary>The fraction of Σ|ŵ| over all pruned layers that the hard masks remove.</summary>
    public required double Leak { get; init; }

    /// <summary>Warnings to look at; empty if all is well.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>The number of weights in the pruned layers.</summary>
    public long PrunableWeights => Layers.Sum(layer => layer.Elements);

    /// <summary>The total number of weights removed.</summary>
    public long Removed => Layers.Sum(layer => layer.Removed);

    /// <summary>The fraction of the prunable weights removed, in [0, 1).</summary>
    public double Sparsity => (double)Removed / PrunableWeights;

    /// <summary>The fraction of all parameters removed, in [0, 1).</summary>
    public double ModelSparsity => (double)Removed / ModelParameters;

    /// <summary>The fraction of prunable weights with a soft mask in (0.05, 0.95).</summary>
    public double Undecided => Layers.Sum(layer => layer.Undecided * layer.Elements) / PrunableWeights;

    private bool IsUniform => Layers.Select(layer => layer.Strategy).Distinct().Count() == 1;

    /// <summary>Writes the report as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Readable.PruningReport);

    /// <summary>Reads a report that was kept with a run.</summary>
    /// <param name="json">What <see cref="ToJson"/> wrote.</param>
    /// <exception cref="ArgumentException">It is damaged or is not the JSON of a report.</exception>
    public static PruningReport FromJson(string json)
    {
        var report = StrictJson.Read(json, ReportJson.Strict.PruningReport, "The report");
        StrictJson.Require("The report", report.Layers.Select(layer => (layer.Name, layer.Fault)), report.PrunableWeights,
            report.ModelParameters);
        return report;
    }

    /// <summary>Writes the layers as CSV with a header line and numbers in full precision.</summary>
    public string ToCsv()
    {
        var csv = new StringBuilder(
            "layer,strategy,weights,removed,zeros,sparsity,threshold,temperature,gradient_temperature,sharpness,undecided,leak,"
            + "subnormals,violations,file_bytes\n");
        foreach (var layer in Layers)
        {
            csv.Append(
                CultureInfo.InvariantCulture,
                $"{Csv.Quoted(layer.Name)},{Csv.Quoted(layer.Strategy)},{layer.Elements},{layer.Removed},{layer.Zeros},{layer.Sparsity:R},"
                + $"{layer.Threshold:R},{layer.Temperature:R},{layer.GradientTemperature:R},{layer.Sharpness:R},{layer.Undecided:R},"
                + $"{layer.Leak:R},{layer.Subnormals},{layer.Violations},{layer.FileBytes}\n");
        }

        return csv.ToString();
    }

    /// <summary>Formats the report as a table of 100 columns; columns that don't fit are named below it and are in CSV and JSON.</summary>
    public override string ToString()
    {
        var table = new TextTable("layer", "strategy", "weights", "removed", "sparsity", "threshold", "τ", "t²/τ", "undecided", "leak",
            "in file", "subnormal", "violations");
        foreach (var layer in Layers)
            table.Add(layer.Name, layer.Strategy, layer.Elements, layer.Removed, TextTable.Percent(layer.Sparsity),
                TextTable.Short(layer.Threshold), TextTable.Short(layer.Temperature), TextTable.OneDigit(layer.Sharpness),
                TextTable.Percent(layer.Undecided), TextTable.Percent(layer.Leak), TextTable.Whole(layer.FileBytes), layer.Subnormals,
                layer.Violations);
        table.Add("all prunable", "", PrunableWeights, Removed, TextTable.Percent(Sparsity), TextTable.None, TextTable.None,
            TextTable.None, TextTable.Percent(Undecided), TextTable.Percent(Leak), TextTable.None,
            Layers.Sum(layer => layer.Subnormals), Layers.Sum(layer => layer.Violations));
        table.Add("whole model", "", ModelParameters, Removed, TextTable.Percent(ModelSparsity), TextTable.None, TextTable.None,
            TextTable.None, TextTable.None, TextTable.None, TextTable.Whole(File?.Sparse), TextTable.None, TextTable.None);
        var (text, leftOut) = table.Fit(["subnormal", "violations", .. IsUniform ? (string[])["strategy"] : [], "τ", "threshold", "t²/τ",
            "in file", "strategy"]);
        var note = leftOut.Count == 0
            ? ""
            : $"not shown: {string.Join(", ", leftOut.Select(Describe))} (see CSV or JSON){Environment.NewLine}";
        var sizes = string.Concat(new object?[] { File, Size }.OfType<object>().Select(size => $"{size}{Environment.NewLine}"));
        return string.Concat([text, sizes, note, Legend, Environment.NewLine,
            .. Warnings.Select(warning => $"warning: {warning}{Environment.NewLine}")]);
    }

    // Summarizes a column that isn't shown.
    private string Describe(string column) => column switch
    {
        "strategy" when IsUniform => $"strategy ({Layers[0].Strategy})",
        "subnormal" => string.Create(CultureInfo.InvariantCulture, $"subnormal ({Layers.Sum(layer => layer.Subnormals):N0})"),
        "violations" => string.Create(CultureInfo.InvariantCulture, $"violations ({Layers.Sum(layer => layer.Violations):N0})"),
        _ => column,
    };
}
