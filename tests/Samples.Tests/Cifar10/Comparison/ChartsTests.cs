using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using Pdp.Samples.Comparison;
using Pdp.Samples.Reports;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.Cifar10.Comparison;

/// <summary>What charts say, read from their SVG form.</summary>
public sealed class ChartsTests : IDisposable
{
    private const string Layer = "layer1.0.conv1.weight";

    private readonly TemporaryFolder _folder = new();
    private readonly CellFolder[] _cells;

    public ChartsTests() => _cells =
    [
        .. Recipes.Parse(
            """{ "seeds": [0], "columns": { "80 %": { "sparsity": 0.8 }, "90 %": { "sparsity": 0.9 } }, "methods": { "pdp": {},"""
                + """ "gmp": {} } }""")
            .Cells()
            .Select(cell => new CellFolder(Recipes.Sample, _folder.Path, cell)),
    ];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AccuracyOverSparsity_HasTicksWhereTheRunsAreAndTheDenseReference()
    {
        Leave("dense-dense-0", 0.4);
        Leave("80-pdp-0", 0.3);
        Leave("90-pdp-0", 0.2);

        var texts = Drawn("accuracy-sparsity");

        Assert.Equal(["80", "90"], texts.Where(text => double.TryParse(text, CultureInfo.InvariantCulture, out var tick) && tick > 60));
        Assert.Contains("weights removed, % of the prunable ones", texts);
        Assert.Contains("top-1 accuracy, %", texts);
        Assert.Contains("dense, 40.00 %", texts);
    }

    [Fact]
    public void AccuracyOverCost_OfASingleRun_HasTheDenseReference()
    {
        Leave("dense-dense-0", 0.88);
        Leave("80-pdp-0", 0.86, startAccuracy: 0.81);

        var texts = Drawn("accuracy-cost-80");

        Assert.Contains("dense, 88.00 %", texts);
        Assert.Contains("before training, 81.00 %", texts);
        Assert.Contains("1", texts);
        Assert.Contains("1.25", texts);
        Assert.DoesNotContain("1.1", texts);
    }

    [Theory]
    [InlineData("accuracy-cost-80", "gmp: failed")]
    [InlineData("layers-80", "gmp: failed")]
    [InlineData("accuracy-sparsity", "gmp: 80 % failed, 90 % not run yet")]
    [InlineData("accuracy-cost-80", "dense: not run yet")]
    public void AFailedMethod_IsNamedInTheLegend(string chart, string expected)
    {
        Leave("80-pdp-0", 0.86);
        Folder("80-gmp-0").Fail("no such data");

        Assert.Contains(expected, Drawn(chart));
    }

    [Fact]
    public void Weights_HaveLabelsALegendAndTheDenseRunBeside()
    {
        Leave("dense-dense-0", 0.88);
        using (var weight = randn(100))
            Safetensors.Save(
                Path.Combine(Folder("dense-dense-0").Path, "weights.safetensors"), new Dictionary<string, Tensor> { [Layer] = weight });
        Leave("80-pdp-0", 0.86);
        LeaveHistory("80-pdp-0", new WeightSnapshot(Layer, 1, 2, [3, 50, 40, 7], null, null), new WeightSnapshot(
            Layer, 2, 2, [3, 50, 40, 7], 0.5, 0.01));

        var texts = Drawn("weights-80");

        foreach (var text in new[]
        {
            "weight w",
            "weights per bin of 1",
            "mask m",
            "mask m(w)",
            "threshold ±t",
            "weights",
            "of the dense run, at its end",
            "layer1.0.conv1, epoch 2",
        })
            Assert.Contains(text, texts);
    }

    [Fact]
    public void Weights_WithoutMasksAndDenseRun_ClaimNeither()
    {
        Leave("80-pdp-0", 0.86);
        LeaveHistory("80-pdp-0", new WeightSnapshot(Layer, 1, 2, [3, 50, 40, 7], null, null), new WeightSnapshot(
            "layer3.2.conv2.weight", 1, 0, [0], null, null));

        var texts = Drawn("weights-80");

        Assert.Contains(texts, text => text.EndsWith("(the dense run has left no weights)", StringComparison.Ordinal));
        Assert.DoesNotContain("mask m(w)", texts);
    }

    [Fact]
    public void Layers_AreOnAnAxisInPercentWithDenseAtZero()
    {
        Leave("80-pdp-0", 0.86);
        AtomicFile.WriteText(
            Path.Combine(Folder("80-pdp-0").Path, "layers.csv"),
            $"layer,strategy,weights,removed,zeros,sparsity\n{Layer},unstructured,10,8,8,0.8\n");

        var texts = Drawn("layers-80");

        foreach (var text in new[] { "layer1.0.conv1", "weights removed, %", "dense, 0 %", "pdp", "100" })
            Assert.Contains(text, texts);
    }

    [Theory]
    [InlineData(new[] { 80.04, 80.01, 90 }, new[] { 80, 90.0 })]
    [InlineData(new[] { 90.0, 89.5, 90, 95 }, new[] { 90, 95.0 })]
    [InlineData(new[] { 80.0 }, new[] { 80.0 })]
    public void Ticks_AreAtValuesThatRunsHave(double[] values, double[] expected) =>
        Assert.Equal(expected, Ticks.Of(values, digits: 1, span: 20));

    private CellFolder Folder(string name) => _cells.Single(folder => folder.Cell.Name == name);

    private void Leave(string name, double accuracy, double? startAccuracy = null)
    {
        var report = Reports.Of(Folder(name).Cell, accuracy) with { StartAccuracy = startAccuracy };
        AtomicFile.WriteText(Path.Combine(Folder(name).Path, "report.json"), JsonSerializer.Serialize(report, Json.Options));
    }

    private void LeaveHistory(string name, params WeightSnapshot[] history) =>
        AtomicFile.WriteText(Path.Combine(Folder(name).Path, "history.json"), JsonSerializer.Serialize(history, Json.Options));

    private string[] Drawn(string chart)
    {
        Charts.Draw(new Results(_cells), Path.Combine(_folder.Path, "charts"));
        var svg = XDocument.Load(Path.Combine(_folder.Path, "charts", chart + ".svg"));
        return [.. svg.Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value.Trim())];
    }
}
