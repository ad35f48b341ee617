using System.Globalization;
using System.Reflection;
using Pdp.Samples.Comparison;

namespace Pdp.Samples.Tests;

public sealed class HelpTests
{
    public static TheoryData<string, string> Texts => new()
    {
        { "Quickstart", Pdp.Samples.Quickstart.Usage.Text() },
        { "Cifar10", Pdp.Samples.Cifar10.Usage.Of(["--help"]) },
        { "Cifar10 compare", Pdp.Samples.Cifar10.Usage.Of(["compare", "--help"]) },
        { "Cifar10 sensitivity", Pdp.Samples.Cifar10.Usage.Of(["sensitivity", "--help"]) },
        { "Cifar10 gallery", Pdp.Samples.Cifar10.Usage.Of(["gallery", "--help"]) },
        { "Bert", Pdp.Samples.Bert.Usage.Of(["--help"]) },
        { "Bert compare", Pdp.Samples.Bert.Usage.Of(["compare", "--help"]) },
        { "Gpt", Pdp.Samples.Gpt.Usage.Of(["--help"]) },
        { "Gpt compare", Pdp.Samples.Gpt.Usage.Of(["compare", "--help"]) },
        { "ImageNet", Pdp.Samples.ImageNet.Usage.Text() },
    };

    private static Dictionary<string, PropertyInfo[]> Options => new()
    {
        ["Quickstart"] = [.. CommandLine.Properties<Pdp.Samples.Quickstart.Settings>()],
        ["Cifar10"] = [.. CommandLine.Properties<Pdp.Samples.Cifar10.Settings>()],
        ["Cifar10 compare"] = [.. CommandLine.Properties<CompareSettings>()],
        ["Cifar10 sensitivity"] = [.. CommandLine.Properties<Pdp.Samples.Cifar10.Scanning.ScanSettings>()],
        ["Cifar10 gallery"] = [.. CommandLine.Properties<Pdp.Samples.Cifar10.Gallery.GallerySettings>()],
        ["Bert"] = [.. CommandLine.Properties<Pdp.Samples.Bert.Settings>()],
        ["Bert compare"] = [.. CommandLine.Properties<CompareSettings>()],
        ["Gpt"] = [.. CommandLine.Properties<Pdp.Samples.Gpt.Settings>()],
        ["Gpt compare"] = [.. CommandLine.Properties<CompareSettings>()],
        ["ImageNet"] = [.. CommandLine.Properties<Pdp.Samples.ImageNet.Settings>()],
    };

    [Theory]
    [MemberData(nameof(Texts))]
    public void For_EverySample_HasUsageTextOptionsAndExamplesIn100Columns(string sample, string text)
    {
        var lines = text.Split('\n');

        Assert.StartsWith("Usage: dotnet run -c Release --project samples/", text, StringComparison.Ordinal);
        Assert.All(lines, line => Assert.InRange(line.Length, 0, 100));
        Assert.InRange(
            lines.SkipWhile(line => line != "Examples").Count(line => line.StartsWith("  dotnet run", StringComparison.Ordinal)), 1, 3);
        Assert.All(Options[sample], option => Assert.Single(
            lines, line => line.StartsWith($"  {CommandLine.Option(option)} ", StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Texts))]
    public void For_EveryOption_SaysWhatItDoesItsUnitRangeAndDefault(string sample, string text)
    {
        var words = string.Join(' ', text.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
        foreach (var property in Options[sample])
        {
            var option = property.GetCustomAttribute<OptionAttribute>()!;
            var start = words.IndexOf($" {CommandLine.Option(property)} {option.Value}", StringComparison.Ordinal);
            var entry = words[start..];

            Assert.EndsWith(".", option.Text, StringComparison.Ordinal);
            Assert.Contains($"{option.Text} (", entry, StringComparison.Ordinal);
            Assert.Matches(@"^ --[^()]+ [^\n]*?\((.*?; )?(default: .+?|not set by default)\)", entry);
            Assert.Equal(option.Range is not null, entry[..entry.IndexOf("default", StringComparison.Ordinal)].Contains(
                $"({Range(option)}; ", StringComparison.Ordinal));
        }

        static string Range(OptionAttribute option) => option.Range is null ? "none" : $"{Interval.Parse(option.Range)}";
    }

    // What help says of a number is what the command line takes.
    [Fact]
    public void Range_OfEveryOption_HoldsItsDefault()
    {
        object[] defaults = [
            new Pdp.Samples.Quickstart.Settings(), new Pdp.Samples.Cifar10.Settings(), new CompareSettings(),
            new Pdp.Samples.Cifar10.Scanning.ScanSettings(), new Pdp.Samples.Cifar10.Gallery.GallerySettings(),
            new Pdp.Samples.Bert.Settings(), new Pdp.Samples.Gpt.Settings(), new Pdp.Samples.ImageNet.Settings(),
        ];
        foreach (var (settings, property) in defaults.SelectMany(
            settings => settings.GetType().GetProperties().Select(property => (settings, property))))
        {
            if (property.GetCustomAttribute<OptionAttribute>() is { Range: { } range } && property.GetValue(settings) is { } value)
            {
                Assert.True(Interval.Parse(range).Contains(Convert.ToDouble(value, CultureInfo.InvariantCulture)), property.Name);
            }
        }
    }

    [Fact]
    public void Text_OfCifar10_NamesItsVerb() =>
        Assert.Contains("\nVerbs\n  compare ", Pdp.Samples.Cifar10.Usage.Of([]), StringComparison.Ordinal);

    [Fact]
    public void Text_OfMethods_NamesThemAll()
    {
        var method = typeof(Pdp.Samples.Cifar10.Settings).GetProperty("Method")!.GetCustomAttribute<OptionAttribute>()!.Text;

        Assert.All(Pdp.Samples.Cifar10.Methods.Names, name => Assert.Contains(name, method, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true, "--help")]
    [InlineData(true, "-h")]
    [InlineData(true, "help")]
    [InlineData(true, "compare", "--help")]
    [InlineData(true, "help", "compare")]
    [InlineData(true, "compare", "help")]
    [InlineData(true, "--lr", "0.1", "-h")]
    [InlineData(false, "--out", "help")]
    [InlineData(false)]
    public void IsAsked_InEveryForm_IsSeen(bool expected, params string[] arguments) => Assert.Equal(expected, Help.IsAsked(arguments));

    [Fact]
    public void Run_WhenHelpIsAsked_DoesNothingElse() =>
        Assert.Equal(0, Sample.Run(["--help"], () => "", () => throw new NotImplementedException()));
}
