using Pdp.Baselines.Tests.Support;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Baselines.Tests;

/// <summary>Which channels DCP chooses, against choices made by hand.</summary>
public sealed class DcpChoiceTests
{
    /// <summary>No learning: the rate is below the resolution of the weights.</summary>
    private const double Still = 1e-30;

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void EachChoice_IsTheLargestGradientByAutograd_SummedOverTheLayersThatRead(double lossWeight)
    {
        DcpOptions options = new() { LossWeight = lossWeight, FineTuneSteps = 1, ScoreBatches = 2, UpdateSteps = 0, LearningRate = Still };
        using var scene = Scene(options);
        using var hand = new DcpByHand(options);
        scene.Pruner.BeginEpoch(1.25);

        hand.FineTune();
        // What conv3 reads comes before what the classifier reads.
        var inner = hand.Choose([hand.Model.conv3.weight], keep: 6);
        var outer = hand.Choose([hand.Model.conv2.weight, hand.Model.fc.weight!], keep: 4);

        Assert.Equal(inner, Kept(scene, "bn2.weight"));
        Assert.Equal(outer, Kept(scene, "bn1.weight"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Steps_BeforeAndAfterEachChoice_LeaveTheWeightsOfStepsByHand(bool hasAuxiliaryLoss)
    {
        DcpOptions options = new() { FineTuneSteps = 3, UpdateSteps = 1, LearningRate = 0.02, Momentum = 0.9, WeightDecay = 0.1 };
        using var scene = Scene(hasAuxiliaryLoss ? options with { Losses = ["bn3"] } : options);
        using var hand = new DcpByHand(options);
        using var scope = NewDisposeScope();
        scene.Pruner.BeginEpoch(1.25);

        var auxiliary = hasAuxiliaryLoss ? new AuxiliaryByHand(channels: 8, classes: 4) : null;
        hand.FineTune(auxiliary);
        var inner = hand.Choose([hand.Model.conv3.weight], keep: 6, auxiliary);
        // The loss at bn3 ends a stage.
        if (hasAuxiliaryLoss)
            hand.FineTune();
        var outer = hand.Choose([hand.Model.conv2.weight, hand.Model.fc.weight!], keep: 4);

        Assert.Equal(inner, Kept(scene, "bn2.weight"));
        Assert.Equal(outer, Kept(scene, "bn1.weight"));
        foreach (var ((_, expected), (_, actual)) in hand.Model.named_parameters().Zip(scene.Model.named_parameters()))
            Close.Equal(expected.Values(), actual.Values(), Close.Float64, Close.Float64);
    }

    [Fact]
    public void ByTheFinalLoss_TheChannelOfTheLabelIsChosen_WhereMagnitudeAndReconstructionChooseNoise()
    {
        DcpOptions options = new() { FineTuneSteps = 1, UpdateSteps = 0, LearningRate = Still };

        Assert.Equal([0], LabelNet.KeptBy(net => new Dcp(net.Model, net.Map, net.Forward, options)));
        Assert.DoesNotContain(0, LabelNet.KeptBy(net => new Dcp(net.Model, net.Map, net.Forward, options with { LossWeight = 0 })));
        Assert.DoesNotContain(0, LabelNet.KeptBy(net => new Gmp()));
    }

    [Fact]
    public void ByAnAdditionalLoss_TheChannelOfTheLabelIsChosen_WhereTheFinalLossDoesNotSeeIt()
    {
        DcpOptions options = new() { FineTuneSteps = 30, UpdateSteps = 2 };

        Assert.DoesNotContain(0, LabelNet.KeptBy(net => new Dcp(net.Model, net.Map, net.Forward, options), isBlind: true));
        Assert.Equal([0], LabelNet.KeptBy(
            net => new Dcp(net.Model, net.Map, net.Forward, options with { Losses = ["middle"] }), isBlind: true));
    }

    [Fact]
    public void Updates_BringTheOutputsNearerToThoseOfTheDenseNetwork()
    {
        Assert.InRange(Error(updates: 30), 0, 0.5 * Error(updates: 0));

        static double Error(int updates)
        {
            using var scene = Scene(new() { LossWeight = 0, FineTuneSteps = 1, UpdateSteps = updates, LearningRate = 1e-3 });
            var dense = scene.Output();
            scene.Model.eval();
            scene.Pruner.BeginEpoch(1.25);
            return scene.MaskedOutput().Zip(dense, (a, b) => (a - b) * (a - b)).Sum();
        }
    }

    /// <summary>A float64 network in evaluation mode.</summary>
    private static ChannelScene Scene(DcpOptions options)
    {
        var scene = new ChannelScene(scene => new Dcp(scene.Model, scene.Map, scene.Forward, options), type: ScalarType.Float64);
        scene.Model.eval();
        return scene;
    }

    private static int[] Kept(ChannelScene scene, string norm) =>
        [.. scene.Removed()[norm].Index().Where(channel => !channel.Item).Select(channel => channel.Index)];
}
