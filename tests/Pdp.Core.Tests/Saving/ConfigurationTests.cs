using System.Text;
using Microsoft.Extensions.Configuration;

namespace Pdp.Tests.Saving;

/// <summary>Options from the configuration of a host, with no reference from the library to it.</summary>
public sealed class ConfigurationTests
{
    private const string Settings = """
        {
            "Logging": { "Level": "Debug" },
            "Pruning": {
                "Epochs": 90,
                "Sparsity": 0.9,
                "Strategy": { "Of": 4, "Kept": 2, "Type": "NofM", "Gradual": false },
                "Schedule": { "Type": "LinearRamp", "Start": 10, "End": 30.5 },
                "Exclude": ["1", { "Type": "Classifier" }],
                "Include": [],
                "Rules": [{ "Match": "fc*", "MaximumSparsity": 0.99 }],
                "Temperature": null
            }
        }
        """;

    [Fact]
    public void FromSettings_OfASection_IsWhatTheFileSays()
    {
        var options = Read();

        Assert.Equal((90, 0.9, NofM.Keep(2, of: 4) with { Gradual = false }), (options.Epochs, options.Sparsity, (NofM)options.Strategy));
        Assert.Equal(new LinearRamp(10, 30.5), options.Schedule);
        Assert.Equal(["'1'", "the classifier"], options.Exclude.Select(match => match.ToString()));
        Assert.Equal((0, null), (options.Include.Count, options.Temperature));
        Assert.Equal(("'fc*'", 0.99), (options.Rules.Single().Match.ToString(), options.Rules.Single().MaximumSparsity));
    }

    [Fact]
    public void FromSettings_WhenALaterSourceOverrides_TakesItsValue() =>
        Assert.Equal(new LinearRamp(10, 40), Read(("PRUNING:SCHEDULE:END", "40")).Schedule);

    [Theory]
    [InlineData("Pruning:Schedule:End", "9", "$.Schedule.End is not valid: Must be in (10, ∞). Actual value was 9")]
    [InlineData("Pruning:Schedule:Middle", "9", "$.Schedule.Middle is unknown; the members here are type, start, end")]
    [InlineData("Pruning:Sparsty", "0.5", "$.Sparsty is unknown")]
    [InlineData("Pruning:Epochs", "many", "$.Epochs is \"many\" and must be a number")]
    [InlineData("Pruning:Exclude:7", "head", "$.Exclude has no item 2")]
    [InlineData("Pruning:Schedule", "oneShot", "$.Schedule has a value and members")]
    [InlineData("Pruning:Epochs:First", "1", "$.Epochs has a value and members")]
    public void FromSettings_WhenOneIsWrong_SaysWhereAndWhatIsRight(string name, string value, string words)
    {
        var fault = Assert.Throws<ArgumentException>(() => Read((name, value)));

        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
    }

    private static PdpOptions Read(params (string Name, string Value)[] overrides)
    {
        using var file = new MemoryStream(Encoding.UTF8.GetBytes(Settings));
        var configuration = new ConfigurationBuilder()
            .AddJsonStream(file)
            .AddInMemoryCollection(overrides.Select(pair => KeyValuePair.Create(pair.Name, (string?)pair.Value)))
            .Build();
        return PdpOptions.FromSettings(configuration.GetSection("Pruning").AsEnumerable(makePathsRelative: true));
    }
}
