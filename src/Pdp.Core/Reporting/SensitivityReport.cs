using System.Globalization;
using System.Text;
using System.Text.Json;
using Pdp.Internal;
using Pdp.Reporting;

namespace Pdp;

/// <summary>How much a model depends on each of its layers, as <see cref="Sensitivity.Scan"/> measures it.</summary>
public sealed record SensitivityReport
{
    /// <summary>The metric of the dense model; higher is better.</summary>
    public required double Dense { get; init; }

    /// <summary>The sparsities that were asked for, rising.</summary>
    public required IReadOnlyList<double> Levels { get; init; }

    /// <summary>The prunable layers, in the order of the model's parameters.</summary>
    public required IReadOnlyList<LayerSensitivity> Layers { get; init; }

    /// <summary>
    /// Bounds for the allocation: each layer may lose what it lost in the scan while the metric dropped by so much at most.
    /// </summary>
    /// <remarks>
    /// The bound of a layer is the largest level that was measured, if it stands them all, and 0 if it stands none. They take the place
    /// of the rules that the scan's options had, whose settings they hold too: <c>options with { Rules = report.Bounds(0.01) }</c>. Layers
    /// whose sparsity is fixed, by a pattern N:M or a rule, have no bound. Each layer was pruned alone, so all of them together lose more
    /// than so much, and training wins some of it back.
    /// </remarks>
    /// <param name="maximumDrop">The largest drop of the metric, in its unit; at least 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The drop is negative or not finite.</exception>
    public IReadOnlyList<LayerRule> Bounds(double maximumDrop)
    {
        Guard.NotNegative(maximumDrop, nameof(maximumDrop));
        return [.. Layers.Select(layer => BoundOf(layer, layer.Tolerated(Dense, maximumDrop))).OfType<LayerRule>()];
    }

    /// <summary>The report as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Readable.SensitivityReport);

    /// <summary>The measurements as CSV with a header line, one of each layer and level, numbers in full precision.</summary>
    public string ToCsv()
    {
        var csv = new StringBuilder("layer,strategy,weights,level,sparsity,metric,drop\n");
        foreach (var layer in Layers)
        {
            var (name, strategy) = (Csv.Quoted(layer.Name), Csv.Quoted(layer.Strategy));
            foreach (var (level, point) in Levels.Zip(layer.Points))
            {
                csv.Append(CultureInfo.InvariantCulture, $"{name},{strategy},{layer.Elements},{level:R},{point.Sparsity:R},");
                csv.Append(CultureInfo.InvariantCulture, $"{point.Metric:R},{Dense - point.Metric:R}\n");
            }
        }

        return csv.ToString();
    }

    /// <summary>The metric of each layer at each level as a table to read.</summary>
    public override string ToString()
    {
        var levels = Levels.Select(level => level.ToString("0.####%", CultureInfo.InvariantCulture));
        var table = new TextTable(["layer", "strategy", "weights", .. levels]);
        foreach (var layer in Layers)
            table.Add([layer.Name, layer.Strategy, layer.Elements, .. layer.Points.Select(point => Text(point.Metric))]);
        var (text, _) = table.Fit("strategy", "weights");
        return $"{text}The dense model has {Text(Dense)}; each layer was pruned alone.{Environment.NewLine}";
    }

    /// <summary>The layer's rule with a bound; null where its sparsity is fixed and it has no rule.</summary>
    private static LayerRule? BoundOf(LayerSensitivity layer, double sparsity)
    {
        var rule = layer.Rule;
        if (layer.IsFixed)
            return rule is null ? null : Named(layer.Name, rule, rule.MaximumSparsity);
        return Named(layer.Name, rule, Math.Min(sparsity, layer.MaximumSparsity));
    }

    private static LayerRule Named(string name, LayerRule? rule, double? maximum) => new(LayerMatch.Named(name))
    {
        Sparsity = rule?.Sparsity,
        Strategy = rule?.Strategy,
        Temperature = rule?.Temperature,
        GradientTemperature = rule?.GradientTemperature,
        MinimumSparsity = rule?.MinimumSparsity,
        MaximumSparsity = maximum,
    };

    private static string Text(double metric) => metric.ToString("0.0000", CultureInfo.InvariantCulture);
}
