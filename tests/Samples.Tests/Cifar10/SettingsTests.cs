using Pdp.Samples.Cifar10;

namespace Pdp.Samples.Tests.Cifar10;

public sealed class SettingsTests
{
    [Theory]
    [InlineData("--sparsity", "0")]
    [InlineData("--sparsity", "0.999")]
    [InlineData("--strategy", "2:4")]
    [InlineData("--strategy", "channel")]
    [InlineData("--mac-budget", "0.9")]
    [InlineData("--relative-temperature", "0.25")]
    [InlineData("--gradient-temperature", "1")]
    [InlineData("--importance", "taylor")]
    [InlineData("--importance", "magnitude")]
    [InlineData("--relative-temperature", "1:3e-2")]
    [InlineData("--str-start", "-1.8E+20")]
    [InlineData("--str-start", "1.8E+20")]
    [InlineData("--momentum", "0")]
    [InlineData("--width", "8")]
    [InlineData("--side", "16")]
    [InlineData("--hold-out", "500")]
    [InlineData("--allocation", "erk")]
    [InlineData("--allocation", "lamp")]
    [InlineData("--allocation", "global:0.5")]
    [InlineData("--allocation", "from:pruning.json")]
    [InlineData("--batch", "2")]
    public void Parse_WhenValueIsInRange_TakesIt(string option, string value)
    {
        var settings = CommandLine.Parse<Settings>([option, value]);

        Assert.Equal(value, CommandLine.Pairs(settings)[option]);
    }

    [Theory]
    [InlineData("Must be in [0, 1)", "--sparsity", "1")]
    [InlineData("Must be in [0, 1)", "--sparsity", "NaN")]
    [InlineData("Must be in [0, 1)", "--sparsity", "-0.1")]
    [InlineData("Must be in (0, 1)", "--mac-budget", "0")]
    [InlineData("Must be in (0, 1)", "--mac-budget", "1")]
    [InlineData("Must be above 0", "--temperature", "0")]
    [InlineData("Must be above 0", "--epsilon", "0")]
    [InlineData("Must be at least 2", "--batch", "1")]
    [InlineData("Must be at least 0", "--lr", "Infinity")]
    [InlineData("--str-start NaN: Must be finite", "--str-start", "NaN")]
    [InlineData("Must be finite", "--str-start", "Infinity")]
    [InlineData("Must be finite", "--str-start", "-Infinity")]
    [InlineData("Must be in [1, 1024]", "--threads", "0")]
    [InlineData("There is no method 'magnitude'; there are dense, pdp, gmp", "--method", "magnitude")]
    [InlineData("There is no method 'gpm'; did you mean gmp?", "--method", "gpm")]
    [InlineData("There is no importance 'tailor'; did you mean taylor?", "--importance", "tailor")]
    [InlineData("There is no allocation 'ekr'; did you mean erk?", "--allocation", "ekr")]
    [InlineData("or from:pruning.json, another run's report.", "--allocation", "from:")]
    [InlineData("Or give global:0.2, with another density floor in [0, 1]", "--allocation", "global:1.5")]
    [InlineData("--width 9: Must be even", "--width", "9")]
    [InlineData("Must be in [2, 256]", "--width", "0")]
    [InlineData("--side 12: Must be 4, 8, 16 or 32", "--side", "12")]
    [InlineData("Must be in [4, 32]", "--side", "0")]
    [InlineData("Must be at least 1", "--hold-out", "0")]
    [InlineData("Must be unstructured, channel, N:M such as 2:4, or a block", "--strategy", "2:")]
    [InlineData("--strategy 0x4: Must be in [1, ∞)", "--strategy", "0x4")]
    [InlineData("Must be a number, or two", "--relative-temperature", "1:")]
    [InlineData("--sparsity 90: Must be in [0, 1), a fraction: 0.9, not 90.", "--sparsity", "90")]
    [InlineData("--strategy 4:4", "--strategy", "4:4")]
    [InlineData("--relative-temperature 0: Must be a number", "--relative-temperature", "0")]
    public void Parse_WhenValueIsOutOfRange_SaysTheRange(string expected, params string[] arguments)
    {
        var error = Assert.ThrowsAny<ArgumentException>(() => CommandLine.Parse<Settings>(arguments));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Common_OfRanksOnDifferentMachines_IsTheSame()
    {
        var settings = new Settings();

        Assert.Equal(settings.Common(), (settings with { Device = "cuda:1", Threads = 4 }).Common());
        Assert.NotEqual(settings.Common(), (settings with { Batch = 2 }).Common());
    }

    [Fact]
    public void Fingerprint_WhenOnlyPlacesDiffer_IsTheSame()
    {
        var settings = new Settings { Data = "here", Out = "runs" };

        var resumed = settings with { Data = "there", Device = "cpu", Resume = true };

        Assert.Equal(settings.Fingerprint(), resumed.Fingerprint());
        Assert.Equal((settings with { Allocation = "from:a" }).Fingerprint(), (settings with { Allocation = "from:b" }).Fingerprint());
        Assert.NotEqual(settings.Fingerprint(), (settings with { Allocation = "from:a" }).Fingerprint());
        Assert.NotEqual(settings.Fingerprint(), (settings with { Seed = 1 }).Fingerprint());
    }
}
