using System.Text.Json;
using Pdp.Reporting;

namespace Pdp.Tests.Reporting;

public sealed class PruningPlanTests
{
    [Fact]
    public void Totals_CountPrunedLayersAndTheWholeModel()
    {
        var plan = Samples.Plan;

        Assert.Equal((2464, 1923), (plan.PrunableWeights, plan.Removed));
        Assert.Equal((1923 / 2464.0, 1923 / 3000.0), (plan.Sparsity, plan.ModelSparsity));
        Assert.Equal((461, 1843 / 2304.0), (plan.Layers[1].Kept, plan.Layers[1].Sparsity));
    }

    [Fact]
    public void ToString_HasARowForEachLayerWithReasonOrRule()
    {
        var lines = Samples.Plan.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(9, lines.Length);
        Assert.Equal("in a sparse file: 6,000 of 12,000 bytes (50.00%)", lines[8]);
        Assert.Matches(@"^layer +shape +strategy +weights +removed +kept +sparsity +in file$", lines[0]);
        Assert.Matches(@"^conv1\.weight +\[16, 3, 3, 3\] +dense +432 +0 +432 +0\.00% +1,728$", lines[1]);
        Assert.Equal("    excluded by the first layer", lines[2]);
        Assert.Matches(@"^conv2\.weight +\[16, 16, 3, 3\] +unstructured +2,304 +1,843 +461 +79\.99% +2,122 +'conv2'$", lines[3]);
        Assert.Matches(@"^all prunable +2,464 +1,923 +541 +78\.04% +–$", lines[5]);
        Assert.Equal("    division may change when pruning begins", lines[6]);
        Assert.Matches(@"^whole model +3,000 +1,923 +1,077 +64\.10% +6,000$", lines[7]);
        Assert.All(lines, line => Assert.InRange(line.Length, 0, 100));
    }

    [Fact]
    public void ToString_AlignsItsColumns()
    {
        var lines = Samples.Plan.ToString()
            .Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != ' ').ToArray();

        var ends = lines.Skip(1).Take(5).Select(line => line.IndexOf('%', StringComparison.Ordinal));
        Assert.Single(ends.Distinct());
        Assert.Single(
            lines.Take(4).Select((line, i) => line.IndexOf(new[] { "shape", "[", "[", "[" }[i], StringComparison.Ordinal)).Distinct());
    }

    [Fact]
    public void ToString_OfALargeModel_FitsInto100Columns()
    {
        var layer = Samples.Layer(
            "layer4.0.downsample.0.weight", "[512, 256, 1, 1]", 11_678_912, "unstructured", null, null, 9_985_470, 8_020_312);

        var lines = (Samples.Plan with { Layers = [layer], ModelParameters = 11_689_512 }).ToString().Split(Environment.NewLine);

        Assert.All(lines, line => Assert.InRange(line.Length, 0, 100));
        Assert.Matches(@"^layer4\.0\.downsample\.0\.weight +unstructured +11,678,912 +9,985,470 +85\.50% +8,020,312$", lines[1]);
    }

    [Fact]
    public void ToString_OfAFinalPlan_SaysNothingOfChange() =>
        Assert.DoesNotContain("may change", (Samples.Plan with { IsFinal = true }).ToString(), StringComparison.Ordinal);

    [Fact]
    public void ToString_WithGroupsOfChannels_EndsWithTheSizes()
    {
        var plan = Samples.Plan with { Size = Samples.Size };

        Assert.Equal($"{Samples.Plan}{Samples.Size}{Environment.NewLine}", plan.ToString());
        Assert.Equal(
            "when shrunk: 1,500 of 3,000 parameters (50.00%), 6,000 of 12,000 bytes (50.00%), 20,000 of 50,000 MACs (40.00%)",
            Samples.Size.ToString());
        Assert.EndsWith("of 12,000 bytes (50.00%)", (Samples.Size with { Before = Samples.Size.Before with { Macs = null } })
            .ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void ToJson_WithGroupsOfChannels_HasTheSizes()
    {
        var plan = Samples.Plan with { Size = Samples.Size };

        using var document = JsonDocument.Parse(plan.ToJson());

        Assert.Equal(20000, document.RootElement.GetProperty("size").GetProperty("after").GetProperty("macs").GetInt64());
        Assert.Equal(Samples.Size, JsonSerializer.Deserialize(plan.ToJson(), ReportJson.Readable.PruningPlan)!.Size);
    }

    [Fact]
    public void ToJson_ReadBack_IsThePlan()
    {
        var json = Samples.Plan.ToJson();

        var plan = JsonSerializer.Deserialize(json, ReportJson.Readable.PruningPlan)!;
        Assert.Equal(Samples.Plan.Layers, plan.Layers);
        Assert.Equal(Samples.Plan.Warnings, plan.Warnings);
        Assert.Equal(Samples.Plan with { Layers = plan.Layers, Warnings = plan.Warnings }, plan);
    }

    [Fact]
    public void ToJson_ReadByAnyone_HasNamesAndTotals()
    {
        using var document = JsonDocument.Parse(Samples.Plan.ToJson());

        var (root, first) = (document.RootElement, document.RootElement.GetProperty("layers")[0]);
        Assert.Equal(1923, root.GetProperty("removed").GetInt64());
        Assert.Equal("excluded by the first layer", first.GetProperty("denseReason").GetString());
        Assert.Equal(JsonValueKind.Null, first.GetProperty("strategy").ValueKind);
    }

    [Fact]
    public void Sparsity_WhereEveryLayerIsDense_IsZero()
    {
        var plan = Samples.Plan with { Layers = [Samples.Plan.Layers[0]] };

        Assert.Equal((0, 0, 0.0), (plan.PrunableWeights, plan.Removed, plan.Sparsity));
        Assert.Equal(0, Samples.Layer("nothing", "[0]", 0, null, null, "it is empty", 0).Sparsity);
    }
}
