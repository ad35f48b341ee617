namespace Pdp.Tests.Saving;

/// <summary>States from anywhere: refused at once and with nothing changed, or as good as one that was saved.</summary>
public sealed class DamagedStateTests(CommittedRunFixture committed) : IClassFixture<CommittedRunFixture>
{
    private const string Layer = "conv2.weight";

    private readonly ResumableRun _run = committed.Run;
    private readonly PrunerState _state = committed.State;

    public static TheoryData<string, Func<PrunerState, PrunerState>> Edits => new()
    {
        { "epoch is NaN", state => state with { Epoch = double.NaN } },
        { "epoch is -1", state => state with { Epoch = -1 } },
        { "epoch is Infinity", state => state with { Epoch = double.PositiveInfinity } },
        { "epoch is 1E+300", state => state with { Epoch = 1e300 } },
        { "startedAt is NaN", state => state with { StartedAt = double.NaN } },
        { "startedAt is 5", state => state with { StartedAt = 5 } },
        { "automatic start", state => state with { StartedAt = 1 } },
        { "automatic start", state => state with { ReportsAboveLevel = 1 } },
        { "reportsAboveLevel is -1", state => state with { ReportsAboveLevel = -1 } },
        { "epochs is NaN", state => state with { Epochs = double.NaN } },
        { "epochs is 0", state => state with { Epochs = 0 } },
        { "scheduledEpochs is NaN", state => state with { ScheduledEpochs = double.NaN } },
        { "scheduledEpochs is 7", state => state with { ScheduledEpochs = 7 } },
        { "no targets", state => state with { Targets = null } },
        { "no epoch", state => state with { Epoch = null } },
        { "interval is 0", state => state with { Interval = 0 } },
        { "interval is NaN", state => state with { Interval = double.NaN } },
        { "its start was forced", state => state with { IsStartForced = true } },
        { "trainingScopes is -1", state => state with { TrainingScopes = -1 } },
        { "trainingScopes is 9.223", state => state with { TrainingScopes = long.MaxValue } },
        { "pruning has begun", state => state with { Targets = null, IsCommitted = false, Masks = null } },
        { "without a commit", state => state with { IsCommitted = false } },
        { "without masks", state => state with { Masks = null } },
        { "settings are missing", state => state with { Settings = null! } },
        { "layers are missing", state => state with { Layers = null! } },
        { "layers are missing", state => state with { Layers = With(state.Layers, Layer, null!) } },
        { "targets of a layer are missing", state => state with { Targets = Without(state.Targets!, Layer) } },
        { "a layer that it doesn't have", state => state with { Targets = With(state.Targets!, "conv9.weight", 1) } },
        { "a target is negative", state => state with { Targets = With(state.Targets!, Layer, -1) } },
        { "the target of 'conv2.weight' is 576", state => state with { Targets = With(state.Targets!, Layer, 576) } },
        { "doesn't keep", state => state with { Targets = With(state.Targets!, Layer, state.Targets![Layer] + 1) } },
        { "something but has no mask", state => state with { Masks = Without(state.Masks!, Layer) } },
        { "removes nothing", state => state with { Targets = With(state.Targets!, Layer, 0) } },
        { "a mask is null", state => state with { Masks = With(state.Masks!, Layer, null!) } },
        { "doesn't match its hash", state => state with { Masks = With(state.Masks!, Layer, "") } },
        { "doesn't match its hash", state => state with { Masks = With(state.Masks!, Layer, "?") } },
        { "doesn't match its hash", state => state with { Masks = With(state.Masks!, Layer, state.Masks!["conv1.weight"]) } },
        { "doesn't match its hash", state => state with { Masks = With(state.Masks!, Layer, Swapped(state.Masks![Layer])) } },
        { "a hash of weights is not valid", state => state with { Weights = With(state.Weights!, Layer, "abc") } },
        { "a hash of weights is not valid", state => state with { Weights = With(state.Weights!, Layer, null!) } },
        { "version 3", state => state with { Version = 3 } },
    };

    [Theory]
    [MemberData(nameof(Edits))]
    public void Restore_OfADamagedState_SaysHowAndChangesNothing(string words, Func<PrunerState, PrunerState> edit)
    {
        var fault = RequireUnchanged(() => _run.Pruner.Restore(edit(_state)));

        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void GetState_AfterCountsAtTheirLimits_CanBeReadAgain()
    {
        using var model = TestModels.Mlp();
        var options = new PdpOptions { Sparsity = 0.5, Epochs = 8, AutomaticStart = new() { Level = 0.5, Epochs = 1 } };
        using var pruner = new PdpPruner(model, options);
        pruner.Restore(pruner.GetState() with { Epoch = 0, TrainingScopes = 1L << 53, ReportsAboveLevel = int.MaxValue });

        pruner.ReportMetric(1);
        TestModels.Train(model, pruner, 1, seed: 0);
        TestModels.Train(model, pruner, 3, seed: 1);

        var state = PrunerState.FromJson(pruner.GetState().ToJson());
        Assert.Equal((1L << 53, int.MaxValue, 1.0), (state.TrainingScopes, state.ReportsAboveLevel, state.StartedAt!.Value));
    }

    [Fact]
    public void Restore_OfTargetsBeforeTheAutomaticStart_SaysSo()
    {
        using var model = TestModels.Mlp();
        var options = new PdpOptions { Sparsity = 0.5, Epochs = 8, AutomaticStart = new() { Level = 0.5, Epochs = 1 } };
        using var pruner = new PdpPruner(model, options);
        pruner.BeginEpoch(0);
        pruner.ReportMetric(1);
        pruner.BeginEpoch(1);
        var state = pruner.GetState();

        var fault = Assert.Throws<ArgumentException>(() => pruner.Restore(state with { StartedAt = null }));

        Assert.Contains("pruning has not begun", fault.Message, StringComparison.Ordinal);
    }

    private static Dictionary<string, T> With<T>(IReadOnlyDictionary<string, T> values, string name, T value) =>
        new(values) { [name] = value };

    private static Dictionary<string, T> Without<T>(IReadOnlyDictionary<string, T> values, string name)
    {
        var others = new Dictionary<string, T>(values);
        others.Remove(name);
        return others;
    }

    /// <summary>The same mask with two different bits of one byte exchanged, so that the counts are right.</summary>
    private static string Swapped(string mask)
    {
        var bytes = Convert.FromBase64String(mask);
        var i = Array.FindIndex(bytes, value => (value & 3) is 1 or 2);
        bytes[i] ^= 3;
        return Convert.ToBase64String(bytes);
    }

    private ArgumentException RequireUnchanged(Action act)
    {
        var (weights, state, counts) = (
            TestModels.Bytes(_run.Model), _run.Pruner.GetState().ToJson(), _run.Pruner.Masks.Select(mask => mask.Removed).ToArray());

        var fault = Assert.ThrowsAny<ArgumentException>(act);

        Assert.Equal(weights, TestModels.Bytes(_run.Model));
        Assert.Equal(state, _run.Pruner.GetState().ToJson());
        Assert.Equal(counts, _run.Pruner.Masks.Select(mask => mask.Removed));
        return fault;
    }
}
