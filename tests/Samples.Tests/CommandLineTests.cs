namespace Pdp.Samples.Tests;

public sealed class CommandLineTests
{
    [Fact]
    public void Parse_WhenNothingIsGiven_KeepsDefaults()
    {
        var settings = CommandLine.Parse<Options>([]);

        Assert.Equal(new Options(), settings);
    }

    [Fact]
    public void Parse_WhenPairsAreGiven_OverridesByName()
    {
        string[] arguments = ["--weight-decay", "1e-4", "--steps", "-3", "--label", "a b", "--limit", "7"];

        var settings = CommandLine.Parse<Options>(arguments);

        Assert.Equal(new Options { WeightDecay = 1e-4, Steps = -3, Label = "a b", Limit = 7 }, settings);
    }

    [Theory]
    [InlineData(true, "--fast")]
    [InlineData(true, "--fast", "--steps", "2")]
    [InlineData(true, "--fast", "true")]
    [InlineData(false, "--fast", "false")]
    public void Parse_WhenSwitchIsGiven_TakesAnOptionalValue(bool expected, params string[] arguments)
    {
        var settings = CommandLine.Parse<Options>(arguments);

        Assert.Equal(expected, settings.Fast);
    }

    [Fact]
    public void Parse_WhenArgumentsAreOverOthers_OverridesThem()
    {
        var settings = CommandLine.Parse<Options>(["--steps=7", "--label=--odd"], ["--steps", "3", "--limit", "2"]);

        Assert.Equal(new Options { Steps = 7, Label = "--odd", Limit = 2 }, settings);
    }

    [Theory]
    [InlineData("There is no setting '--wieght-decay'; did you mean --weight-decay?", "--wieght-decay", "1")]
    [InlineData("There is no setting 'nonsense'; there are --steps, --weight-decay, --label, --limit, --fast, --word.", "nonsense")]
    [InlineData("--steps needs a value after it.", "--steps")]
    [InlineData("--steps needs a value after it.", "--steps", "--fast")]
    [InlineData("--label needs a value after it.", "--label", "--oops", "1")]
    [InlineData("--label needs a value after it.", "--label", "")]
    [InlineData("--label needs a value after it.", "--label=")]
    [InlineData("--steps is given twice.", "--steps", "1", "--steps", "2")]
    [InlineData("--fast is given twice.", "--fast", "--fast=false")]
    [InlineData("--steps needs a whole number, not '1.5'.", "--steps", "1.5")]
    [InlineData("--steps needs a whole number from -2147483648 to 2147483647, not '9999999999'.", "--steps", "9999999999")]
    [InlineData("--weight-decay needs a number, not '0,5'.", "--weight-decay", "0,5")]
    [InlineData("--weight-decay 90: Must be in [0, 1), a fraction: 0.9, not 90.", "--weight-decay", "90")]
    [InlineData("--weight-decay -1: Must be in [0, 1).", "--weight-decay", "-1")]
    [InlineData("--weight-decay 101: Must be in [0, 1).", "--weight-decay", "101")]
    [InlineData("--weight-decay NaN: Must be in [0, 1).", "--weight-decay", "NaN")]
    [InlineData("--limit 0: Must be at least 1.", "--limit", "0")]
    [InlineData("--word b: Must be a.", "--word", "b")]
    [InlineData("--weight-decay needs a number, not 'low'.", "--weight-decay", "low")]
    [InlineData("--fast needs true or false, not 'yes'.", "--fast", "yes")]
    public void Parse_WhenArgumentIsWrong_SaysWhatIsWanted(string expected, params string[] arguments)
    {
        var error = Assert.Throws<ArgumentException>(() => CommandLine.Parse<Options>(arguments));

        Assert.Equal(expected, error.Message);
    }

    [Fact]
    public void Echo_WhenParsedAgain_GivesTheSameSettings()
    {
        var settings = new Options { WeightDecay = 1e-4, Steps = 5, Limit = 7, Fast = true };

        var echo = CommandLine.Echo(settings);

        Assert.Equal("--steps 5 --weight-decay 0.0001 --limit 7 --fast True", echo);
        Assert.Equal(settings, CommandLine.Parse<Options>(echo.Split(' ')));
    }

    [Fact]
    public void Pairs_WhenSomeAreLeftOut_GivesTheOthersInOrder()
    {
        var pairs = CommandLine.Pairs(new Options { Steps = 5, Label = "a b" }, nameof(Options.WeightDecay));

        Assert.Equal([new("--steps", "5"), new("--label", "a b"), new("--fast", "False")], pairs);
    }

    private sealed record Options
    {
        public int Steps { get; init; } = 1;

        [Option("A share.", Value = OptionAttribute.Fraction, Range = "[0, 1)")]
        public double WeightDecay { get; init; } = 0.5;

        public string? Label { get; init; }

        [Option("A number.", Range = "[1, ∞)")]
        public int? Limit { get; init; }

        public bool Fast { get; init; }

        public string? Word
        {
            get; init => field = value is null or "a" ? value : throw new ArgumentException(
            "Must be a.", nameof(value));
        }
    }
}
