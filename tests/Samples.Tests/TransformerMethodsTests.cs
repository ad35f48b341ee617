using Pdp.Baselines;
using Pdp.Samples.Bert;
using Pdp.Samples.Transformers;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests;

/// <summary>What each method needs from the training loop of transformers, and that the loop gives it.</summary>
public sealed class TransformerMethodsTests
{
    public static TheoryData<string> Names => [.. PruningMethods.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Needs_OfAMethod_AreItsAlone(string method)
    {
        var settings = new Settings { Method = method, StrDecay = 0.25, Epochs = 8 };

        Assert.Equal(method == "str" ? 0.25 : 0, PruningMethods.WeightDecay(settings));
        Assert.Equal(method == "str", PruningMethods.IsEmergent(settings));
        Assert.Equal(method == "pofa" ? 6 : 8, PruningMethods.CommitEpoch(settings));
        Assert.Equal(7, PruningMethods.CommitEpoch(settings with { CommitAt = 7 }));
        Assert.Equal(method is "dense" or "pdp", PruningMethods.IsResumable(settings));
    }

    [Theory]
    [InlineData("taylor", true)]
    [InlineData("magnitude", false)]
    public void Attach_OfAnImportance_RanksByIt(string importance, bool isTaylor)
    {
        using var model = nn.Linear(8, 8);
        using var pruner = TransformerPruning.Attach(new Settings { Method = "pdp", Importance = importance }, model, exclude: [])!;

        Assert.Equal(isTaylor ? new Taylor().Describe() : null, pruner.GetState().Settings.GetValueOrDefault("Importance"));
    }

    [Theory]
    [InlineData("optg")]
    [InlineData("mvp")]
    public void LearningRateFactor_OfOptG_RisesWithItsSchedule(string method)
    {
        using var model = nn.Linear(8, 8);
        var settings = new Settings { Method = method, Epochs = 8, Sparsity = 0.5 };
        using var pruner = TransformerPruning.Attach(settings, model, exclude: [])!;
        var ramp = new SigmoidRamp(0, 8);
        double[] expected = method == "optg" ? [ramp.Fraction(3.9), 0.5, ramp.Fraction(4.1)] : [1, 1, 1];

        double[] times = [3.9, 4, 4.1];

        Assert.Equal(expected, times.Select(time => PruningMethods.LearningRateFactor(settings, pruner, time)));
    }

    // The second of two steps is in the middle of the schedule. With gradients that hardly change, AdamW goes as far as its rate.
    [Fact]
    public void Epoch_OfOptG_LearnsScoresAtTheShareOfItsSchedule()
    {
        manual_seed(1);
        using var scope = NewDisposeScope();
        using var model = nn.Linear(8, 8);
        var inputs = ones(4, 8);
        var settings = new Settings { Method = "optg", Epochs = 1, Sparsity = 0.1 };
        using var pruner = TransformerPruning.Attach(settings, model, exclude: [])!;
        var scores = pruner.Parameters[0].Parameter;
        var before = scores.detach().clone();
        using var trainer = new Trainer(settings, model, pruner, steps: 2, (_, _) =>
        {
            before.copy_(scores.detach());
            return model.call(inputs).pow(2).mean();
        });

        trainer.Epoch(0);

        var step = (scores.detach() - before).abs().max().ReadCpuSingle(0);
        Assert.Equal(0.5, step / trainer.Optimizer.LearningRate, 0.03);
    }

    // In 8 epochs of a step, AC/DC's weights return at 2 and 4.
    [Theory]
    [InlineData("acdc", new long[] { 1, 2, 1, 2, 1, 2, 3, 4 })]
    [InlineData("gmp", new long[] { 1, 2, 3, 4, 5, 6, 7, 8 })]
    public void Epoch_WhereWeightsReturn_StartsMomentumAnew(string method, long[] expected)
    {
        manual_seed(1);
        using var model = nn.Linear(8, 8);
        using var inputs = ones(4, 8);
        var settings = new Settings { Method = method, Epochs = 8, Sparsity = 0.5 };
        using var pruner = TransformerPruning.Attach(settings, model, exclude: []);
        using var trainer = new Trainer(settings, model, pruner, steps: 1, (_, _) => model.call(inputs).pow(2).mean());
        var steps = new List<long>();

        for (var epoch = 0; epoch < settings.Epochs; epoch++)
        {
            trainer.Epoch(epoch);
            using var scope = NewDisposeScope();
            steps.Add(trainer.Optimizer.GetState()["weight.step"].ReadCpuInt64(0));
        }

        Assert.Equal(expected, steps);
    }
}
