using Pdp.Baselines.Tests.Support;
using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

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
        using var scene = new ChannelScene(
            scene => new Dcp(
                scene.Model,
                scene.Map,
                scene.Forward,
                new() { LossWeight = lossWeight, FineTuneSteps = 1, ScoreBatches = 2, UpdateSteps = 0, LearningRate = Still }),
            type: ScalarType.Float64);
        using var hand = new ChannelScene(scene => new Gmp(), type: ScalarType.Float64);
        scene.Model.eval();
        scene.Pruner.BeginEpoch(1.25);

        hand.Model.eval();
        // The first batch went to fine-tuning, and what conv3 reads comes before what the classifier reads.
        var inner = ByHand(hand, [hand.Model.conv3.weight], keep: 6, batch: 1, lossWeight);
        var outer = ByHand(hand, [hand.Model.conv2.weight, hand.Model.fc.weight!], keep: 4, batch: 1 + (6 * 2), lossWeight);

        Assert.Equal(inner, Kept(scene, "bn2.weight"));
        Assert.Equal(outer, Kept(scene, "bn1.weight"));
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
            using var scene = new ChannelScene(
                scene => new Dcp(
                    scene.Model,
                    scene.Map,
                    scene.Forward,
                    new() { LossWeight = 0, FineTuneSteps = 1, UpdateSteps = updates, LearningRate = 1e-3 }),
                type: ScalarType.Float64);
            scene.Model.eval();
            var dense = scene.Output();
            scene.Model.eval();
            scene.Pruner.BeginEpoch(1.25);
            return scene.MaskedOutput().Zip(dense, (a, b) => (a - b) * (a - b)).Sum();
        }
    }

    private static int[] Kept(ChannelScene scene, string norm) =>
        [.. scene.Removed()[norm].Index().Where(channel => !channel.Item).Select(channel => channel.Index)];

    /// <summary>Algorithm 2 without updates, by autograd on a loss that is written out.</summary>
    private static int[] ByHand(ChannelScene scene, Parameter[] readers, int keep, int batch, double lossWeight)
    {
        using var dense = new ResidualNet(type: ScalarType.Float64);
        dense.eval();
        double[][] trained = [.. readers.Select(reader => reader.Values())];
        var chosen = new List<int>();
        while (chosen.Count < keep)
        {
            Write(readers, trained, chosen);
            foreach (var parameter in scene.Model.parameters())
                parameter.grad = null;
            for (var part = 0; part < 2; part++, batch++)
                Loss(scene, dense, readers, batch, lossWeight).backward();
            var norms = readers.Select(Norms).Aggregate((a, b) => [.. a.Zip(b, (x, y) => x + y)]);
            chosen.Add(norms.Index().Where(norm => !chosen.Contains(norm.Index)).MaxBy(norm => norm.Item).Index);
        }

        Write(readers, trained, chosen);
        return [.. chosen.Order()];
    }

    private static Tensor Loss(ChannelScene scene, ResidualNet dense, Parameter[] readers, int batch, double lossWeight)
    {
        var (own, target) = (Features(scene.Model, batch), Features(dense, batch));
        var loss = functional.cross_entropy(own.Last, scene.Forward(batch).Labels) * lossWeight;
        if (readers.Contains(scene.Model.conv3.weight))
            return loss + ((own.Third - target.Third).pow(2).mean() / 2);
        return loss + ((own.Second - target.Second).pow(2).mean() / 2) + ((own.Last - target.Last).pow(2).mean() / 2);
    }

    /// <summary>The outputs of conv2, conv3 and the classifier.</summary>
    private static (Tensor Second, Tensor Third, Tensor Last) Features(ResidualNet net, int batch)
    {
        var x = functional.relu(net.bn1.call(net.conv1.call(ResidualNet.Batch(batch, type: ScalarType.Float64))));
        var second = net.conv2.call(x);
        var third = net.conv3.call(functional.relu(net.bn2.call(second)));
        return (second, third, net.fc.call(functional.relu(net.bn3.call(third) + x).mean([2, 3])));
    }

    /// <summary>Writes the trained weights of the chosen inputs of <c>[out, in, …]</c>, and zeros for the others.</summary>
    private static void Write(Parameter[] readers, double[][] trained, List<int> chosen)
    {
        foreach (var (reader, values) in readers.Zip(trained))
        {
            var size = values.Length / (int)(reader.shape[0] * reader.shape[1]);
            Tensors.Fill(reader, [.. values.Select((value, i) => chosen.Contains(i / size % (int)reader.shape[1]) ? value : 0)]);
        }
    }

    private static double[] Norms(Parameter reader)
    {
        var size = (int)reader.numel() / (int)(reader.shape[0] * reader.shape[1]);
        var squares = new double[reader.shape[1]];
        foreach (var (i, value) in reader.grad!.Values().Index())
            squares[i / size % squares.Length] += value * value;
        return [.. squares.Select(Math.Sqrt)];
    }
}
