using Pdp.Baselines;
using Pdp.Samples.Cifar10;
using Pdp.Training;
using static TorchSharp.torch;
using SampleMethods = Pdp.Samples.Cifar10.Methods;

namespace Pdp.Samples.Tests.Cifar10;

/// <summary>What each method needs from the training loop, and that the loop gives it.</summary>
public sealed class MethodsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Names => [.. SampleMethods.Names];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void Needs_OfAMethod_AreItsAlone(string method)
    {
        var settings = new Settings { Method = method, StrDecay = 0.25, Nesterov = true };

        Assert.Equal(method == "str" ? 0.25 : 0, SampleMethods.WeightDecay(settings));
        Assert.Equal(method == "str", SampleMethods.IsNesterov(settings));
        Assert.False(SampleMethods.IsNesterov(settings with { Nesterov = false }));
        Assert.Equal(method == "granet", SampleMethods.ForgetsMomentumOfZeros(settings));
    }

    // The sigmoid of OptG rises most in the middle of its epochs.
    [Theory]
    [InlineData("optg")]
    [InlineData("mvp")]
    public void LearningRateFactor_OfOptG_RisesWithItsSchedule(string method)
    {
        var settings = new Settings { Method = method, Epochs = 8 };
        using var model = new ResNet20(width: 2);
        using var pruner = new PdpPruner(model, Pruning.Options(settings, model));
        var ramp = new SigmoidRamp(0, 8);
        double[] expected = method == "optg" ? [ramp.Fraction(3.9), 0.5, ramp.Fraction(4.1)] : [1, 1, 1];

        double[] times = [3.9, 4, 4.1];

        Assert.Equal(expected, times.Select(time => SampleMethods.LearningRateFactor(settings, pruner, time)));
    }

    [Fact]
    public void Options_OfAnImportance_HaveIt()
    {
        using var model = new ResNet20(width: 2);

        Assert.Equal(new Taylor(), Pruning.Options(new Settings { Method = "pdp", Importance = "taylor" }, model).Importance);
        Assert.Null(Pruning.Options(new Settings { Method = "pdp", Importance = "magnitude" }, model).Importance);
    }

    // In 8 epochs of a step, AC/DC's weights return at 2 and 4.
    [Theory]
    [InlineData("acdc", new long[] { 1, 2, 1, 2, 1, 2, 3, 4 })]
    [InlineData("gmp", new long[] { 1, 2, 3, 4, 5, 6, 7, 8 })]
    public void Epoch_WhereWeightsReturn_StartsMomentumAnew(string method, long[] expected)
    {
        var steps = new List<long>();

        Train(method, (_, _, trainer) =>
        {
            using var scope = NewDisposeScope();
            steps.Add(trainer.Optimizer.GetState()["linear.weight.step"].ReadCpuInt64(0));
        });

        Assert.Equal(expected, steps);
    }

    [Fact]
    public void Epoch_OfGraNet_LeavesRemovedWeightsNoMomentum()
    {
        var momentum = new List<float>();

        Train("granet", (model, pruner, trainer) =>
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            var state = trainer.Optimizer.GetState();
            using var masked = pruner.Mask();
            foreach (var (name, weight) in model.named_parameters().Where(entry => pruner.Masks.Any(mask => mask.Name == entry.name)))
            {
                momentum.AddRange(weight.data<float>().ToArray().Zip(state[$"{name}.momentum_buffer"].data<float>().ToArray())
                    .Where(pair => pair.First == 0).Select(pair => pair.Second));
            }
        });

        Assert.NotEmpty(momentum);
        Assert.All(momentum, value => Assert.Equal(0, value));
    }

    /// <summary>Trains for 8 epochs of a step, with a look after each.</summary>
    private void Train(string method, Action<ResNet20, PdpPruner, Trainer> look)
    {
        Pictures.Write(_folder.Path);
        var settings = new Settings { Method = method, Width = 4, Side = 8, Epochs = 8, Batch = 20, Sparsity = 0.5 };
        manual_seed(settings.Seed);
        using var model = new ResNet20(settings.Width);
        using var pruner = new PdpPruner(model, Pruning.Options(settings, model));
        var training = new Batches(Cifar10Data.Load(_folder.Path).Train, settings.Batch, settings.Seed, side: settings.Side);
        using var trainer = new Trainer(settings, model, pruner, training, SingleRank.Instance);
        for (var epoch = 0; epoch < settings.Epochs; epoch++)
        {
            trainer.Epoch(epoch);
            look(model, pruner, trainer);
        }
    }
}
