using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Pdp.Channels;
using Pdp.Channels.Shrinking;

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
        Assert.Equal(JsonSerializer.Serialize(Samples.Plan with { Size = Samples.Size }, Reflection), (Samples.Plan with { Size = Samples.Size }).ToJson());

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
        var group = new ChannelGroup("conv1.weight", 4, [new("conv1.weight", 0, 0, 1, ChannelRole.Filter), new("fc.weight", 1, 0, 9, ChannelRole.Input)]) { IsNormalized = true };
        var record = new ShrinkRecord { Version = 1, Groups = [new(group, [0, 2])], Shapes = new Dictionary<string, IReadOnlyList<long>> { ["conv1.weight"] = [4, 3, 3, 3] } };
        var report = new ShrinkReport { Record = record, Difference = 1e-7, Scale = 2.5, ParametersBefore = 500, ParametersAfter = 250 };

        Assert.Equal(JsonSerializer.Serialize(record, Reflection), record.ToJson());
        Assert.Equal(JsonSerializer.Serialize(report, Reflection), report.ToJson());
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
