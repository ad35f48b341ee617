using Pdp.Samples.ImageNet;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class PruningTests : IDisposable
{
    private readonly TinyNet _model = new(4);

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData("pdp-resnet18", 0.855)]
    [InlineData("pdp-mobilenet-v1", 0.866)]
    [InlineData("pdp-resnet50", 0.9)]
    public void Options_OfThePapersRecipes_AreTheLibrarysPreset(string recipe, double sparsity)
    {
        var expected = PdpOptions.Paper(sparsity);

        var options = Pruning.Options(Recipe.Parse(["--recipe", recipe]), _model);

        Assert.Equal((expected.Sparsity, expected.Epochs, expected.Strategy), (options.Sparsity, options.Epochs, options.Strategy));
        Assert.Equal(
            (expected.Schedule, expected.Temperature, expected.Allocation), (options.Schedule, options.Temperature, options.Allocation));
        Assert.Empty(options.Exclude);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Options_OfAPattern_HaveNoSparsityOfTheirOwn(bool isGradual)
    {
        var options = Pruning.Options(new Settings { Strategy = "2:8", Gradual = isGradual }, _model);

        Assert.Equal(NofM.Keep(2, of: 8) with { Gradual = isGradual }, options.Strategy);
        Assert.Null(options.Sparsity);
    }

    [Fact]
    public void Options_OfAnImportance_HaveIt()
    {
        var options = Pruning.Options(new Settings { Importance = "taylor" }, _model);

        Assert.Equal(new Taylor(), options.Importance);
        Assert.Null(Pruning.Options(new Settings { Importance = "magnitude" }, _model).Importance);
    }

    [Fact]
    public void Options_OfAMaximum_HaveIt()
    {
        Assert.Equal(0.95, Pruning.Options(new Settings { MaximumLayerSparsity = 0.95 }, _model).MaximumLayerSparsity);
        Assert.Equal(1, Pruning.Options(new Settings(), _model).MaximumLayerSparsity);
    }

    [Fact]
    public void Options_OfABlock_HaveTheSparsityOfTheSettings()
    {
        var options = Pruning.Options(new Settings { Strategy = "16x1", Sparsity = 0.7 }, _model);

        Assert.Equal((new Block(16, 1), 0.7), (options.Strategy, options.Sparsity));
    }

    [Theory]
    [InlineData("unstructured", null, 40)]
    [InlineData("2:4", null, 40)]
    [InlineData("channel", null, 20)]
    [InlineData("channel", 35.0, 35)]
    public void CommitEpoch_OfChannels_LeavesHalfOfTheRunToTrainOnWithoutThem(string strategy, double? commitAt, double expected) =>
        Assert.Equal(expected, Pruning.CommitEpoch(new Settings { Epochs = 40, Strategy = strategy, CommitAt = commitAt }));

    [Fact]
    public void Options_WhoseRampEndsBehindTheCommit_SaySoAtOnce()
    {
        var settings = new Settings { Epochs = 100, Strategy = "2:4", Epsilon = 0.015, CommitAt = 50 };

        Assert.Contains(
            "--commit-at", Assert.Throws<ArgumentException>(() => Pruning.Options(settings, _model)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Attach_WhereTheLibrarysRampEndsBehindTheCommit_SaysSoAtOnce()
    {
        var settings = new Settings { Method = "pdp", Epochs = 100, CommitAt = 50 };

        Assert.Contains(
            "the schedule ends in epoch 60: raise --commit-at",
            Assert.Throws<ArgumentException>(() => Pruning.Attach(settings, _model)).Message, StringComparison.Ordinal);
        using var pruner = Pruning.Attach(settings with { CommitAt = 60 }, _model);
        Assert.NotNull(pruner);
    }

    [Fact]
    public void Options_WhenAnnealed_RunFromTheRampsStartTo90Percent()
    {
        var options = Pruning.Options(
            new Settings { Epochs = 40, DenseEpochs = 5, RelativeTemperature = "1:0.03", Exclude = "conv1, fc" }, _model);

        Assert.Equal(Temperature.Relative(1).AnnealedTo(0.03, 5, 36), options.Temperature);
        Assert.Equal(new CubicRamp(5, 24), options.Schedule);
        Assert.Equal(["'conv1'", "'fc'"], options.Exclude.Select(match => match.ToString()));
    }

    [Fact]
    public void Options_WithBothTemperatures_Throw() => Assert.Throws<ArgumentException>(
        () => Pruning.Options(new Settings { Temperature = 1e-4, RelativeTemperature = "1" }, _model));
}
