using static TorchSharp.torch;

namespace Pdp.Tests.Saving;

/// <summary>What was learned of importance is in the state, bit for bit.</summary>
public sealed class ImportanceStateTests
{
    [Theory]
    [InlineData("taylor", 3, ScalarType.Float32)]
    [InlineData("taylor", 9, ScalarType.Float32)]
    [InlineData("taylor", 9, ScalarType.Float64)]
    [InlineData("channel by taylor", 3, ScalarType.Float32)]
    [InlineData("channel by taylor", 9, ScalarType.Float64)]
    public void Restore_BeforeAndOnTheRamp_GoesOnBitForBit(string kind, int killedAt, ScalarType type)
    {
        using var uninterrupted = new ResumableRun(kind, type).Train(0, 20);
        using var killed = new ResumableRun(kind, type).Train(0, killedAt);

        using var resumed = killed.Killed(kind).Train(killedAt, 20);
        uninterrupted.Pruner.Commit();
        resumed.Pruner.Commit();

        Assert.Equal(TestModels.Bytes(uninterrupted.Model), TestModels.Bytes(resumed.Model));
    }

    [Fact]
    public void State_WithoutAnImportance_DoesNotMentionIt()
    {
        using var run = new ResumableRun("unstructured", ScalarType.Float32).Train(0, 9);

        Assert.DoesNotContain("mportance", run.Pruner.GetState().ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public void Restore_UnderAnotherImportance_NamesBoth()
    {
        using var saved = new ResumableRun("taylor", ScalarType.Float32).Train(0, 9);
        using var other = new ResumableRun("unstructured", ScalarType.Float32);

        var fault = Assert.Throws<ArgumentException>(() => other.Pruner.Restore(saved.Pruner.GetState()));

        Assert.Contains(
            "Importance was taylor, the mean over 3 gradients when the state was saved, and is not set now",
            fault.Message,
            StringComparison.Ordinal);
    }

    public static TheoryData<string, Func<PrunerState, PrunerState>> Damages => new()
    {
        { "has learned no importance", state => state with { Importance = null } },
        { "what was learned of importance of a layer are missing", state =>
            state with { Importance = state.Importance!.Skip(1).ToDictionary() } },
        { "gradients is 0 and must be in [1, 2^53]", state => Changed(state, learned => learned with { Gradients = 0 }) },
        { "is not what was saved, a number for each of 216 weights", state => Changed(
            state, learned => learned with { Sensitivity = learned.Sensitivity[4..] }) },
        { "is not what was saved", state => Changed(state, learned => learned with { Sensitivity = "AAAA" + learned.Sensitivity[4..] }) },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public void Restore_OfADamagedImportance_SaysSoAndChangesNothing(string expected, Func<PrunerState, PrunerState> damage)
    {
        using var run = new ResumableRun("taylor", ScalarType.Float32).Train(0, 9);
        var state = run.Pruner.GetState();

        var fault = Assert.Throws<ArgumentException>(() => run.Pruner.Restore(damage(state)));

        Assert.Contains(expected, fault.Message, StringComparison.Ordinal);
        Assert.Equal(state.ToJson(), run.Pruner.GetState().ToJson());
    }

    private static PrunerState Changed(PrunerState state, Func<ImportanceState, ImportanceState> change) =>
        state with { Importance = state.Importance!.ToDictionary(pair => pair.Key, pair => change(pair.Value)) };
}
