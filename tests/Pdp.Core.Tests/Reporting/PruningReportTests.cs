using System.Globalization;
using System.Text.Json;
using Pdp.Reporting;

namespace Pdp.Tests.Reporting;

public sealed class PruningReportTests
{
    [Fact]
    public void Totals_CountPrunedLayersAndTheWholeModel()
    {
        var report = Samples.Report;

        Assert.Equal((2464, 1923), (report.PrunableWeights, report.Removed));
        Assert.Equal((1923 / 2464.0, 1923 / 3000.0), (report.Sparsity, report.ModelSparsity));
        Assert.Equal(((0.1 * 2304) + (0.25 * 160)) / 2464, report.Undecided, 1e-15);
    }

    [Fact]
    public void ToString_HasARowForEachLayer_TheTotalsAndTheWarnings()
    {
        var report = Samples.Report with { Layers = [Samples.Report.Layers[0]] };

        var lines = report.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(9, lines.Length);
        Assert.Equal("in a sparse file: 6,000 of 12,000 bytes (50.00%)", lines[4]);
        Assert.Matches(@"^conv2\.weight +2,304 +1,843 +79\.99% +1\.235E-2 +1E-4 +1\.5 +10\.00% +2\.00% +2,122$", lines[1]);
        Assert.Matches(@"^all prunable +2,304 +1,843 +79\.99% +– +– +– +10\.00% +1\.75% +–$", lines[2]);
        Assert.Matches(@"^whole model +3,000 +1,843 +61\.43%( +–){5} +6,000$", lines[3]);
        Assert.Equal("not shown: subnormal (3), violations (0), strategy (unstructured) (see CSV or JSON)", lines[5]);
        Assert.StartsWith("undecided: masks in (0.05, 0.95); leak:", lines[6], StringComparison.Ordinal);
        Assert.Equal("warning: 1.75% of the magnitude leaks.", lines[8]);
    }

    [Fact]
    public void ToString_WithGroupsOfChannels_SaysTheSizesBelowTheTotals()
    {
        var report = Samples.Report with { Layers = [Samples.Report.Layers[0]], Size = Samples.Size, File = null };

        var lines = report.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(Samples.Size.ToString(), lines[4]);
        Assert.StartsWith("undecided:", lines[6], StringComparison.Ordinal);
    }

    // ResNet18's longest name and counts.
    [Fact]
    public void ToString_OfALargeModel_FitsInto100Columns()
    {
        var layer = Samples.Report.Layers[0] with
        {
            Name = "layer4.0.downsample.0.weight",
            Elements = 11_678_912,
            Removed = 9_985_470,
            Sharpness = 66.7,
            Violations = 7,
        };
        var report = Samples.Report with
        {
            Layers = [layer, layer with { Threshold = 0.5, Temperature = 0.25, Subnormals = 1, Violations = 2 }],
            Warnings = [],
        };
        var mixed = report with { Layers = [layer, layer with { Strategy = "2:4", Subnormals = 1, Violations = 2 }] };

        Assert.All($"{report}{mixed}".Split(Environment.NewLine), line => Assert.InRange(line.Length, 0, 100));
        Assert.Contains(
            "not shown: subnormal (4), violations (9), strategy (unstructured), τ, threshold (see CSV or JSON)",
            report.ToString(),
            StringComparison.Ordinal);
        Assert.Matches(@"layer4\.0\.downsample\.0\.weight +2:4 +11,678,912 +9,985,470 +85\.50%", mixed.ToString());
    }

    [Fact]
    public void ToCsv_OfNamesWithCommasQuotesAndLineBreaks_QuotesThem()
    {
        var csv = Samples.Report.ToCsv();

        Assert.EndsWith("\n\"fc,\"\"odd\"\"\nname\",2:4,160,80,0,0.5,0.5,0.25,,1,0.25,0,0,1,\n", csv, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("a\"b", "\"a\"\"b\"")]
    [InlineData("a\nb", "\"a\nb\"")]
    [InlineData("a\rb", "\"a\rb\"")]
    [InlineData("a b;c", "a b;c")]
    public void ToCsv_OfAName_QuotesItWhereRfc4180Asks(string name, string field)
    {
        var report = Samples.Report with { Layers = [Samples.Report.Layers[0] with { Name = name }] };

        var row = report.ToCsv()[(report.ToCsv().IndexOf('\n', StringComparison.Ordinal) + 1)..];

        Assert.StartsWith(field + ",unstructured,", row, StringComparison.Ordinal);
    }

    [Fact]
    public void ToCsv_HasAsManyFieldsAsItsHeader_InFullPrecision()
    {
        var report = Samples.Report with { Layers = [Samples.Report.Layers[0] with { Threshold = 0.1 + 0.2 }] };

        var lines = report.ToCsv().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(',')).ToArray();

        Assert.Equal(lines[0].Length, lines[1].Length);
        Assert.Equal(0.1 + 0.2, double.Parse(lines[1][Array.IndexOf(lines[0], "threshold")], CultureInfo.InvariantCulture));
        Assert.Equal("1843", lines[1][Array.IndexOf(lines[0], "removed")]);
        Assert.Equal("0", lines[1][Array.IndexOf(lines[0], "violations")]);
    }

    [Fact]
    public void ToJson_ReadBack_IsTheReport()
    {
        var json = Samples.Report.ToJson();

        var report = JsonSerializer.Deserialize(json, ReportJson.Readable.PruningReport)!;
        Assert.Equal(Samples.Report.Layers, report.Layers);
        Assert.Equal(Samples.Report.Warnings, report.Warnings);
        Assert.Equal(Samples.Report with { Layers = report.Layers, Warnings = report.Warnings }, report);
    }

    [Fact]
    public void ToJson_OfNumbersThatAreNotFinite_CanBeReadBack()
    {
        var json = (Samples.Report with { Leak = double.NaN, Epoch = double.PositiveInfinity }).ToJson();

        var report = JsonSerializer.Deserialize(json, ReportJson.Readable.PruningReport)!;
        Assert.Equal((double.NaN, double.PositiveInfinity), (report.Leak, report.Epoch));
    }

    [Fact]
    public void ToText_InAnotherCulture_IsTheSame()
    {
        var before = CultureInfo.CurrentCulture;
        var report = Samples.Report;
        var (text, csv) = (report.ToString(), report.ToCsv());

        try
        {
            CultureInfo.CurrentCulture = new CultureInfo(CultureInfo.InvariantCulture.Name)
            {
                NumberFormat = { NumberDecimalSeparator = ",", NumberGroupSeparator = ".", PercentDecimalSeparator = "," },
            };
            Assert.Equal((text, csv), (report.ToString(), report.ToCsv()));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}
