using Pdp.Masking;
using Pdp.Numerics;
using Pdp.Saving;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Saving;

/// <summary>The state of a committed run holds the masks; nothing is ranked again.</summary>
public sealed class CommittedRunTests
{
    [Theory]
    [MemberData(nameof(ResumableRun.Kinds), MemberType = typeof(ResumableRun))]
    public void Restore_WhenMomentumHasMovedZeros_GoesOnBitForBit(string kind, ScalarType type)
    {
        using var uninterrupted = new ResumableRun(kind, type).Train(0, 17);
        using var killed = new ResumableRun(kind, type).Train(0, 17);
        foreach (var run in (ResumableRun[])[uninterrupted, killed])
        {
            run.Pruner.Commit();
            run.Shake().Train(17, 18);
        }

        Assert.False(IsAsRanked(killed), "the zeros must have moved past kept weights");
        using var resumed = killed.Killed(kind);
        uninterrupted.Train(18, 24);
        resumed.Train(18, 24);
        var (expected, actual) = (uninterrupted.Pruner.Commit(), resumed.Pruner.Commit());

        Assert.Equal(TestModels.Bytes(uninterrupted.Model), TestModels.Bytes(resumed.Model));
        Assert.Equal(expected.Layers.Select(layer => layer.Zeros), actual.Layers.Select(layer => layer.Zeros));
        Assert.Equal(uninterrupted.Pruner.GetState().Masks, resumed.Pruner.GetState().Masks);
    }

    [Theory]
    [MemberData(nameof(ResumableRun.Kinds), MemberType = typeof(ResumableRun))]
    public void Restore_BeforeTheWeightsAreLoaded_SaysSoAndChangesNothing(string kind, ScalarType type)
    {
        using var saved = new ResumableRun(kind, type).Train(0, 17);
        saved.Pruner.Commit();
        using var other = new ResumableRun(kind, type, seed: 7);
        var (weights, state) = (TestModels.Bytes(other.Model), other.Pruner.GetState().ToJson());

        var fault = Assert.Throws<ArgumentException>(() => other.Pruner.Restore(saved.Pruner.GetState()));

        Assert.Contains("Load the weights first", fault.Message);
        Assert.Equal(weights, TestModels.Bytes(other.Model));
        Assert.Equal(state, other.Pruner.GetState().ToJson());
    }

    [Fact]
    public void Restore_WhenOneWeightDiffers_NamesItsLayer()
    {
        using var saved = new ResumableRun("unstructured", ScalarType.Float32).Train(0, 9);
        var state = saved.Pruner.GetState();
        using (var scope = NewDisposeScope())
        using (no_grad())
            saved.Model.get_parameter("conv2.weight")!.view(-1)[5].zero_();

        var fault = Assert.Throws<ArgumentException>(() => saved.Pruner.Restore(state));

        Assert.Contains("conv2.weight differs", fault.Message);
    }

    [Theory]
    [InlineData("conv1.bias")]
    [InlineData("norm.weight")]
    [InlineData("norm.bias")]
    public void Restore_WhenWhatIsMaskedAlongDiffers_NamesItsLayer(string name)
    {
        using var saved = new ResumableRun("channel with a map", ScalarType.Float32).Train(0, 9);
        var state = saved.Pruner.GetState();
        saved.Pruner.Restore(state);
        using (var scope = NewDisposeScope())
        using (no_grad())
            saved.Model.get_parameter(name)![5].neg_();

        var fault = Assert.Throws<ArgumentException>(() => saved.Pruner.Restore(state));

        Assert.Contains("conv1.weight or a parameter that is masked along with it differs", fault.Message);
    }

    [Fact]
    public void Restore_OfAStateWithoutHashes_TakesTheWeightsAsTheyAreAndTheMasksAsTheyWere()
    {
        using var saved = new ResumableRun("unstructured", ScalarType.Float32).Train(0, 17);
        saved.Pruner.Commit();
        var state = saved.Pruner.GetState();
        using var other = new ResumableRun("unstructured", ScalarType.Float32, seed: 7);

        other.Pruner.Restore(state with { Weights = null });

        Assert.Equal(state.Masks, other.Pruner.GetState().Masks);
    }

    [Fact]
    public void Restore_OfAnEarlierState_TakesTheCommitBack()
    {
        using var run = new ResumableRun("unstructured", ScalarType.Float32).Train(0, 20);
        var (state, weights) = (run.Pruner.GetState(), TestModels.Bytes(run.Model));
        using var copy = run.Killed("unstructured");
        run.Pruner.Commit();
        run.Load(copy);

        run.Pruner.Restore(state);

        Assert.False(run.Pruner.IsCommitted);
        Assert.Null(run.Pruner.GetState().Masks);
        Assert.Equal(weights, TestModels.Bytes(run.Model));
    }

    [Fact]
    public void GetState_OfACommittedRun_TakesABitAMember()
    {
        using var weights = new ResumableRun("unstructured", ScalarType.Float32).Train(0, 17);
        using var channels = new ResumableRun("channel", ScalarType.Float32).Train(0, 17);
        weights.Pruner.Commit();
        channels.Pruner.Commit();

        // conv2 has 8·8·3·3 weights, 72 bytes of bits, and 8 channels, one byte; 8 bytes of a hash go with each; 4 letters are 3 bytes.
        Assert.Equal(4 * 27, weights.Pruner.GetState().Masks!["conv2.weight"].Length);
        Assert.Equal(4 * 3, channels.Pruner.GetState().Masks!["conv2.weight"].Length);
    }

    [Theory]
    [MemberData(nameof(ResumableRun.Kinds), MemberType = typeof(ResumableRun))]
    public void Restore_LeavesNoTensors(string kind, ScalarType type)
    {
        using var run = new ResumableRun(kind, type).Train(0, 17);
        run.Pruner.Commit();

        Leaks.None(() => run.Pruner.Restore(PrunerState.FromJson(run.Pruner.GetState().ToJson())));
    }

    /// <summary>Whether ranking the weights of now would find the masks of the commit.</summary>
    private static bool IsAsRanked(ResumableRun run)
    {
        var weights = run.Model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        var masks = run.Pruner.GetState().Masks!;
        return run.Pruner.Masks.Where(mask => mask.Removed > 0).All(mask =>
        {
            using var scope = NewDisposeScope();
            using var _ = no_grad();
            return masks[mask.Name] == PackedMask.Pack(
                SoftMask.Kept(mask.MagnitudeOf(weights[mask.Name].reshape([.. mask.Layout.Shape])), mask.Removed));
        });
    }
}
