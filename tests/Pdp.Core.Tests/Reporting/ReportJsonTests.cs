using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Pdp.Tests.Reporting;

/// <summary>What is written without reflection is what reflection would write.</summary>
public sealed class ReportJsonTests
{
    private static readonly JsonSerializerOptions Reflection = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    [Fact]
    public void ToJson_OfAPlan_IsWhatReflectionWrites() =>
        Assert.Equal(
            JsonSerializer.Serialize(Samples.Plan with { Size = Samples.Size }, Reflection),
            (Samples.Plan with { Size = Samples.Size }).ToJson());

    [Fact]
    public void ToJson_OfAReport_IsWhatReflectionWrites()
    {
        var report = Samples.Report with { Leak = double.NaN, Warnings = ["τ < 1 + <b>ü</b>"] };

        Assert.Equal(JsonSerializer.Serialize(report, Reflection), report.ToJson());
        Assert.Contains("τ < 1 + <b>ü</b>", report.ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public void ToJson_OfAShrunkModel_IsWhatReflectionWrites()
    {
        var group = new ChannelGroup("conv1.weight",
            4, [new("conv1.weight", 0, 0, 1, ChannelRole.Filter), new("fc.weight", 1, 0, 9, ChannelRole.Input)])
        { IsNormalized = true };
        var record = new ShrinkRecord
        {
            Version = 1,
            Groups = [new(group, [0, 2])],
            Shapes = new Dictionary<string, IReadOnlyList<long>> { ["conv1.weight"] = [4, 3, 3, 3] },
        };
        var report = new ShrinkReport { Record = record, Difference = 1e-7, Scale = 2.5, ParametersBefore = 500, ParametersAfter = 250 };

        Assert.Equal(JsonSerializer.Serialize(record, Reflection), record.ToJson());
        Assert.Equal(JsonSerializer.Serialize(report, Reflection), report.ToJson());
    }

    [Fact]
    public void FromJson_OfWhatWasWritten_GivesTheSamePlanAndReport()
    {
        var plan = Samples.Plan with { Size = Samples.Size, Warnings = ["τ < 1"] };
        var report = Samples.Report with { Size = Samples.Size, Leak = double.NaN, Epoch = 1 / 3.0 };

        Assert.Equal(plan.ToJson(), PruningPlan.FromJson('\uFEFF' + plan.ToJson()).ToJson());
        Assert.Equal(plan.Layers, PruningPlan.FromJson(plan.ToJson()).Layers);
        var read = PruningReport.FromJson(report.ToJson());
        Assert.Equal(report.ToJson(), read.ToJson());
        Assert.Equal(report.Layers, read.Layers);
        Assert.Equal((report.Size, report.Epoch, report.Leak), (read.Size, read.Epoch, read.Leak));
    }

    [Theory]
    [InlineData("\"removed\": 1843,", "\"removed\": 9999,", "layer 'conv2.weight': it removes 9999 of 2304 weights")]
    [InlineData("\"removed\": 1843,", "\"removed\": -1,", "layer 'conv2.weight': it removes -1 of 2304 weights")]
    [InlineData("\"removed\": 1843,", "", "removed")]
    [InlineData("\"removed\": 1843,", "\"removed\": 1843, \"removed\": 1843,", "removed")]
    [InlineData("\"removed\": 1843,", "\"removed\": 1843, \"gone\": 1,", "gone")]
    [InlineData("\"removed\": 1843,", "\"removed\": 1843.5,", "$.layers[1].removed")]
    [InlineData(
        "\"strategy\": \"2:4\"", "\"strategy\": null", "layer 'fc.weight': it has a strategy and a reason to stay dense, or neither")]
    [InlineData("\"modelParameters\": 3000", "\"modelParameters\": 30", "2464 prunable weights of 30 parameters")]
    [InlineData("\"layers\": [", "\"layers\": null, \"others\": [", "$.layers")]
    public void FromJson_OfADamagedPlan_SaysWhatIsWrong(string sound, string damaged, string words)
    {
        var json = Samples.Plan.ToJson();
        Assert.Contains(sound, json, StringComparison.Ordinal);

        var fault = Assert.Throws<ArgumentException>(() => PruningPlan.FromJson(json.Replace(sound, damaged, StringComparison.Ordinal)));

        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
        Assert.StartsWith("The plan is damaged", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("")]
    public void FromJson_OfSomethingElse_Throws(string json)
    {
        Assert.Throws<ArgumentException>(() => PruningPlan.FromJson(json));
        Assert.Throws<ArgumentException>(() => PruningReport.FromJson(json));
        Assert.Throws<ArgumentException>(() => PruningReport.FromJson(Samples.Plan.ToJson()));
        Assert.Throws<ArgumentException>(
            () => PruningReport.FromJson(Samples.Report.ToJson().Replace("\"zeros\": 12", "\"zeros\": -12", StringComparison.Ordinal)));
    }

    [Fact]
    public void ToJson_OfAState_IsWhatReflectionWrites()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.5, Epochs = 1 });
        pruner.BeginEpoch(0);
        var state = pruner.GetState();

        Assert.Equal(JsonSerializer.Serialize(state, Reflection), state.ToJson());
        Assert.Equal(state.ToJson(), PrunerState.FromJson(state.ToJson()).ToJson());
    }
}
