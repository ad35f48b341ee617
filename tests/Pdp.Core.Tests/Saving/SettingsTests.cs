namespace Pdp.Tests.Saving;

/// <summary>A state fits where nothing that decides about targets and masks is otherwise; what is, is named.</summary>
public sealed class SettingsTests
{
    private static readonly PdpOptions Options = new() { Sparsity = 0.6, Epochs = 8 };
    private static readonly (Temperature Mask, Temperature? Gradient) Default = Options.TemperaturesOf(rule: null, Options.Strategy);

    public static TheoryData<string, PdpOptions, string> Differences => new()
    {
        { "sparsity", Options with { Sparsity = 0.5 }, "Sparsity was 0.6 when the state was saved, and is 0.5 now" },
        { "schedule", Options with
        {
            Schedule = new LinearRamp(1, 2),
        }, "Schedule was CubicRamp from epoch 1 to 4 when the state was saved, and is LinearRamp from epoch 1 to 2 now" },
        { "allocation", Options with
        {
            Allocation = new UniformSparsity(),
        }, "Allocation was GlobalMagnitude with a density floor of 0.2 when the state was saved, and is UniformSparsity now" },
        { "density floor", Options with
        {
            Allocation = new GlobalMagnitude { DensityFloor = 0 },
        }, "Allocation was GlobalMagnitude with a density floor of 0.2 when the state was saved, and is GlobalMagnitude now" },
        { "start", Options with
        {
            AutomaticStart = new() { Level = 0.5 },
        }, "AutomaticStart was not set when the state was saved, and is above 0.5 in 5 reports now" },
        { "temperature", Options with { Temperature = Temperature.Absolute(1e-4) }, "Temperature of conv1.weight, conv2.weight, fc.weight "
            + "was relative 1, annealed to 0.001 from epoch 1 to 6, hard from epoch 6 when the state was saved, "
            + "and is absolute 0.0001 now" },
        { "temperature of the gradient", Options with
        {
            GradientTemperature = Temperature.Relative(1),
        }, "GradientTemperature of conv1.weight, conv2.weight, fc.weight was relative 1, hard from epoch 6 when the state was saved, "
            + "and is relative 1 now" },
        { "correction of the gradient", Options with
        {
            GradientTemperature = Temperature.Relative(1).HardFrom(6).WithRadialCorrection(),
        }, "GradientTemperature of conv1.weight, conv2.weight, fc.weight was relative 1, hard from epoch 6 when the state was saved, "
            + "and is relative 1, hard from epoch 6, corrected along the weights now" },
        { "strategy", Options with
        {
            Strategy = new PerChannel { RoundTo = 2 },
            Schedule = Options.EffectiveSchedule,
            Temperature = Default.Mask,
            GradientTemperature = Default.Gradient,
        }, "Strategy of conv1.weight, conv2.weight, fc.weight was unstructured when the state was saved, and is channel, a multiple "
            + "of 2 kept now" },
        { "bound", Options with
        {
            MaximumLayerSparsity = 0.95,
        }, "MaximumSparsity of conv1.weight, conv2.weight, fc.weight was not set when the state was saved, and is 0.95 now" },
        { "rule", Options with
        {
            Rules = [new("fc") { Sparsity = 0.5 }],
        }, "Sparsity of fc.weight was not set when the state was saved, and is 0.5 now" },
        { "layers", Options with { Exclude = ["fc"] }, "fc.weight was pruned when the state was saved, but is not now" },
        { "epochs", Options with { Epochs = 9 }, "Epochs was 8 when the state was saved, and is 9 now (for a longer run, call "
            + "Restore(state, allowLongerRun: true))" },
        { "fewer epochs", Options with { Epochs = 7 }, "Epochs was 8 when the state was saved, and is 7 now" },
    };

    public static TheoryData<string, PdpOptions> Equivalents => new()
    {
        { "an empty rule", Options with { Rules = [new("*")] } },
        { "rules that say what the options say", Options with { Rules = [new("conv*")
        {
            Strategy = new Unstructured(),
        }, new("fc") { Temperature = Default.Mask, GradientTemperature = Default.Gradient, MaximumSparsity = 1 }] } },
        { "the defaults, written out", Options with
        {
            Schedule = Options.EffectiveSchedule,
            Temperature = Default.Mask,
            GradientTemperature = Default.Gradient,
            Allocation = new GlobalMagnitude(),
        } },
        { "layers by name", Options with { Include = ["conv1", "conv2", "fc"] } },
        { "a strategy that no layer has", Options with
        {
            Strategy = NofM.Keep(2, of: 4),
            Rules = [new("*") { Strategy = new Unstructured() }],
        } },
    };

    [Theory]
    [MemberData(nameof(Differences))]
    public void Restore_WhenSomethingIsOtherwise_NamesItAndChangesNothing(string what, PdpOptions options, string words)
    {
        using var model = TestModels.Cnn();
        using var saved = new PdpPruner(model, Options);
        using var pruner = new PdpPruner(model, options);
        saved.BeginEpoch(0.5);

        var fault = Assert.Throws<ArgumentException>(() => pruner.Restore(saved.GetState()));

        Assert.True(fault.Message.Contains(words, StringComparison.Ordinal), $"{what}: {fault.Message}");
        Assert.Null(pruner.Epoch);
    }

    [Theory]
    [MemberData(nameof(Equivalents))]
    public void Restore_WhenOnlyTheWayToSayItDiffers_Works(string what, PdpOptions options)
    {
        using var model = TestModels.Cnn();
        using var saved = new PdpPruner(model, Options);
        using var pruner = new PdpPruner(model, options);
        saved.BeginEpoch(0.5);

        pruner.Restore(PrunerState.FromJson(saved.GetState().ToJson()));
        saved.Restore(PrunerState.FromJson(pruner.GetState().ToJson()));

        Assert.True(pruner.Epoch == 0.5, what);
    }

    [Fact]
    public void Restore_WhereStrategiesFixTheCounts_DoesNotAskForTheAllocation()
    {
        var fixedCounts = new PdpOptions { Epochs = 8, Strategy = NofM.Keep(2, of: 4) };
        using var model = TestModels.Mlp();
        using var saved = new PdpPruner(model, fixedCounts);
        using var pruner = new PdpPruner(
            model, fixedCounts with { Sparsity = 0.5, Allocation = new UniformSparsity(), MinimumLayerSparsity = 0.2 });
        saved.BeginEpoch(0);

        pruner.Restore(saved.GetState());

        Assert.Equal(0, pruner.Epoch);
    }

    [Fact]
    public void Restore_OfATableThatDiffersInOneLayer_ShowsThatPlace()
    {
        var table = new Dictionary<string, double> { ["conv1.weight"] = 0.25, ["conv2.weight"] = 0.5, ["fc.weight"] = 0.5 };
        var options = new PdpOptions { Epochs = 8, Allocation = new SparsityTable(table) };
        using var model = TestModels.Cnn();
        using var saved = new PdpPruner(model, options);
        using var pruner = new PdpPruner(
            model, options with { Allocation = new SparsityTable(new Dictionary<string, double>(table) { ["conv2.weight"] = 0.75 }) });

        var fault = Assert.Throws<ArgumentException>(() => pruner.Restore(saved.GetState()));

        Assert.Contains("conv2.weight 0.5, fc.weight 0.5 when the state was saved", fault.Message);
        Assert.Contains("conv2.weight 0.75, fc.weight 0.5 now", fault.Message);
    }

    [Fact]
    public void Restore_WhenHundredsOfSettingsDiffer_NamesSomeAndCountsTheOthers()
    {
        using var model = TestModels.Cnn();
        using var pruner = new PdpPruner(model, Options);
        var state = pruner.GetState();
        var settings = new Dictionary<string, string>(state.Settings);
        for (var i = 0; i < 500; i++)
            settings[$"Setting{i}"] = "7";

        var fault = Assert.Throws<ArgumentException>(() => pruner.Restore(state with { Settings = settings }));

        Assert.Contains("and 492 more", fault.Message);
        Assert.InRange(fault.Message.Length, 100, 1000);
    }

    [Fact]
    public void Restore_OfALaterVersionsSetting_NamesIt()
    {
        using var model = TestModels.Cnn();
        using var pruner = new PdpPruner(model, Options);
        var state = pruner.GetState();

        var fault = Assert.Throws<ArgumentException>(
            () => pruner.Restore(state with { Settings = new Dictionary<string, string>(state.Settings) { ["Warmth"] = "7" } }));

        Assert.Contains("Warmth was 7 when the state was saved, and is not set now", fault.Message);
    }

    [Fact]
    public void Difference_OfLongValues_ShowsThePartsThatDiffer()
    {
        static Dictionary<string, string> Value(string end) => new() { ["Table"] = $"{new string('a', 1000)}{end}{new string('c', 1000)}" };

        var words = Assert.Single(Pdp.Saving.SettingsDifference.Of(Value("0.5"), Value("0.75")));

        Assert.InRange(words.Length, 100, 350);
        Assert.Contains("a0.5c", words);
        Assert.Contains("a0.75c", words);
    }
}
