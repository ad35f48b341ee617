using System.Globalization;
using System.Text.Json;
using Pdp.Internal;
using Pdp.Sparse.Reporting;

namespace Pdp.Sparse;

/// <summary>What packing did to a model, and what it gained on the example.</summary>
public sealed record SparseReport
{
    /// <summary>The weights, in the order of the model's parameters.</summary>
    public required IReadOnlyList<SparseLayerReport> Layers { get; init; }

    /// <summary>The median time of the model as it was, in milliseconds; null if nothing was timed.</summary>
    public double? DenseMilliseconds { get; init; }

    /// <summary>
    /// The same, with all layers dense, everything folded that can be, and the channels of convolutions last in memory if that is faster.
    /// </summary>
    public double? FoldedMilliseconds { get; init; }

    /// <summary>The same, with the model as it is now.</summary>
    public double? PackedMilliseconds { get; init; }

    /// <summary>What else is worth knowing, such as what could not be folded.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>The speedup by folding and the better layout, without any use of zeros; null if nothing was timed.</summary>
    public double? FoldingSpeedup => DenseMilliseconds / FoldedMilliseconds;

    /// <summary>The further speedup by zeros; null if nothing was timed.</summary>
    public double? SparsitySpeedup => FoldedMilliseconds / PackedMilliseconds;

    /// <summary>The memory of the weights before, in bytes.</summary>
    public long DenseBytes => Layers.Sum(layer => layer.DenseBytes);

    /// <summary>The memory of the weights now, with what restores the dense ones, in bytes.</summary>
    public long Bytes => Layers.Sum(layer => layer.Bytes);

    /// <summary>Writes the report as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Readable.SparseReport);

    /// <summary>Formats the report as a table.</summary>
    public override string ToString()
    {
        var table = new TextTable("layer", "shape", "zeros", "dense ms", "packed ms", "form");
        foreach (var layer in Layers)
        {
            table.Add(layer.Name, $"[{string.Join(", ", layer.Shape)}]", TextTable.Percent(layer.Sparsity), Time(layer.DenseMilliseconds),
                Time(layer.PackedMilliseconds), Word(layer.Form), layer.Reason);
        }

        var (text, _) = table.Fit("shape");
        return string.Concat([text, .. Totals().Concat(Notes).Select(line => line + Environment.NewLine)]);
    }

    private IEnumerable<string> Totals()
    {
        yield return string.Create(CultureInfo.InvariantCulture,
            $"weights: {Bytes / 1e6:0.00} MB, {DenseBytes / 1e6:0.00} MB before");
        if (PackedMilliseconds is { } now)
        {
            yield return string.Create(CultureInfo.InvariantCulture,
                $"model: {now:0.000} ms, {DenseMilliseconds:0.000} ms before: ")
                + string.Create(CultureInfo.InvariantCulture,
                    $"{FoldingSpeedup:0.00}× by folding and layout, {SparsitySpeedup:0.00}× by zeros");
        }
    }

    private static string Time(double? milliseconds) => milliseconds?.ToString("0.000", CultureInfo.InvariantCulture) ?? TextTable.None;

    private static string Word(LayerForm form) => form switch
    {
        LayerForm.Packed => "packed",
        LayerForm.Folded => "folded",
        LayerForm.ChannelsLast => "channels last",
        _ => "dense",
    };
}
