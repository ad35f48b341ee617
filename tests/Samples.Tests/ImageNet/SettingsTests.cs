using Pdp.Samples.ImageNet;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class SettingsTests
{
    [Theory]
    [InlineData("--model", "mobilenet-v2")]
    [InlineData("--device", "cpu")]
    [InlineData("--device", "cuda:1")]
    [InlineData("--sparsity", "0")]
    [InlineData("--strategy", "2:4")]
    [InlineData("--strategy", "channel")]
    [InlineData("--epsilon", "1")]
    [InlineData("--temperature", "0.0001")]
    [InlineData("--relative-temperature", "1:0.015")]
    [InlineData("--side", "32")]
    [InlineData("--ema", "0.9999")]
    [InlineData("--log-steps", "0")]
    [InlineData("--label-smoothing", "0")]
    public void Parse_WhenValueIsInRange_TakesIt(string option, string value) =>
        Assert.Equal(value, CommandLine.Pairs(CommandLine.Parse<Settings>([option, value]))[option]);

    [Theory]
    [InlineData("There is no network 'alexnet'; there are resnet18, resnet50, mobilenet-v1, mobilenet-v2.", "--model", "alexnet")]
    [InlineData("Must be cpu, cuda, or cuda:n", "--device", "gpu")]
    [InlineData("Must be in [0, 1)", "--sparsity", "1")]
    [InlineData("Must be in [0, 1)", "--sparsity", "NaN")]
    [InlineData("Must be in (0, 1)", "--mac-budget", "1")]
    [InlineData("Must be in (0, 1)", "--ema", "1")]
    [InlineData("Must be above 0", "--epsilon", "0")]
    [InlineData("Must be above 0", "--temperature", "0")]
    [InlineData("Must be at least 1", "--epochs", "0")]
    [InlineData("Must be at least 1", "--accumulate", "0")]
    [InlineData("Must be at least 2", "--batch", "1")]
    [InlineData("Must be at least 32", "--side", "31")]
    [InlineData("Must be at least 0", "--lr", "Infinity")]
    [InlineData("Must be unstructured, channel, N:M such as 2:4, or a block", "--strategy", "2:")]
    [InlineData("--strategy 0x4: Must be in [1, ∞)", "--strategy", "0x4")]
    [InlineData("Must be dense or pdp", "--method", "magnitude")]
    [InlineData("--sparsity 85.5: Must be in [0, 1), a fraction: 0.855, not 85.5.", "--sparsity", "85.5")]
    [InlineData("--strategy 5:4", "--strategy", "5:4")]
    [InlineData("--strategy 0:0", "--strategy", "0:0")]
    [InlineData("--relative-temperature 1.2.3: Must be a number", "--relative-temperature", "1.2.3")]
    [InlineData("--relative-temperature 1:0: Must be a number", "--relative-temperature", "1:0")]
    [InlineData("--device cuda:99999999999", "--device", "cuda:99999999999")]
    [InlineData("--dense-epochs Infinity: Must be at least 0, and finite", "--dense-epochs", "Infinity")]
    [InlineData("There is no network 'resnet-18'; did you mean resnet18?", "--model", "resnet-18")]
    public void Parse_WhenValueIsOutOfRange_SaysTheRange(string expected, params string[] arguments)
    {
        var error = Assert.ThrowsAny<ArgumentException>(() => Recipe.Parse(arguments));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Part_WhenBatchCannotBeDivided_SaysSo()
    {
        var error = Assert.Throws<ArgumentException>(() => new Settings { Batch = 10, Accumulate = 4 }.Part);

        Assert.Equal(5, new Settings { Batch = 10, Accumulate = 2 }.Part);
        Assert.Equal(
            "A batch of 10 pictures can't be divided into 4 equal parts: --batch must be a multiple of --accumulate.", error.Message);
    }

    [Theory]
    [InlineData("--lr-warmup 5 is more than the run has, --epochs 3", "--lr-warmup", "5")]
    [InlineData("--batch 4 must be at least twice --accumulate 4", "--batch", "4", "--accumulate", "4")]
    [InlineData("either --resume or --evaluate", "--resume", "--evaluate", "x")]
    [InlineData("(--dense-epochs) and end at epoch 1.5", "--method", "pdp", "--dense-epochs", "2")]
    [InlineData("either --epsilon or --ramp-end", "--method", "pdp", "--epsilon", "0.5", "--ramp-end", "2")]
    public void RequirePossible_WhenSettingsDontGoTogether_NamesThem(string expected, params string[] arguments)
    {
        var settings = CommandLine.Parse<Settings>(["--epochs", "3", .. arguments]);

        var error = Assert.Throws<ArgumentException>(settings.RequirePossible);

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RequirePossible_WhenNothingIsThereToPack_SaysWhatPackedGoesWith()
    {
        var error = Assert.Throws<ArgumentException>((new Settings { Packed = true }).RequirePossible);

        Assert.Equal("--packed goes with --evaluate FILE.", error.Message);
        (new Settings { Packed = true, Evaluate = "weights.safetensors" }).RequirePossible();
    }

    [Fact]
    public void WarmupEpochs_WhenNotGiven_AreATwentiethOfTheRun() => Assert.Equal(5, new Settings().WarmupEpochs);

    [Fact]
    public void Deciding_WhenOnlyPlacesDiffer_IsTheSame()
    {
        var settings = new Settings { Data = "here", Out = "runs", KeepLast = 1 };

        Assert.Equal(
            settings.Deciding(),
            (settings with { Data = "there", Resume = true, Packed = true, Device = "cuda", CheckpointSteps = 7 }).Deciding());
        Assert.NotEqual(settings.Deciding(), (settings with { Seed = 1 }).Deciding());
        Assert.NotEqual(settings.Deciding(), (settings with { Epsilon = 0.5 }).Deciding());
    }
}
