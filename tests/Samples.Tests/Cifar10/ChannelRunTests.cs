using System.Globalization;
using Pdp.Samples.Cifar10;

namespace Pdp.Samples.Tests.Cifar10;

/// <summary>Every method for channels through a whole run, on twenty pictures, and what a run ends with.</summary>
public sealed class ChannelRunTests : IDisposable
{
    private readonly PictureRuns _runs = new();

    public void Dispose() => _runs.Dispose();

    [Theory]
    [InlineData("pdp")]
    [InlineData("gmp")]
    [InlineData("nisp")]
    [InlineData("scp")]
    [InlineData("dcp-score")]
    [InlineData("mvp")]
    public void Run_OnChannels_MeetsTheBudgetAndShrinks(string method)
    {
        var report = _runs.Run("--method", method, "--strategy", "channel", "--mac-budget", "0.5");

        Assert.InRange(report.MacsRemoved!.Value, 0.49, 0.51);
        Assert.Contains("MACs removed", File.ReadAllText(_runs.File("run/report.html")), StringComparison.Ordinal);
        Assert.True(File.Exists(_runs.File("run/shrink.json")));
    }

    [Fact]
    public void Run_OfDcp_MeetsTheBudgetAndShrinks()
    {
        var report = _runs.Run(
            "--method", "dcp", "--strategy", "channel", "--mac-budget", "0.5", "--width", "2", "--dcp-steps", "1", "--dcp-updates", "0");

        Assert.InRange(report.MacsRemoved!.Value, 0.4, 0.6);
        Assert.Contains("MACs removed", File.ReadAllText(_runs.File("run/report.html")), StringComparison.Ordinal);
        Assert.True(File.Exists(_runs.File("run/shrink.json")));
    }

    [Fact]
    public void Run_OfAShrunkNetwork_EndsWithItsForms()
    {
        var (_, shrunk) = Deployed("--strategy", "channel", "--side", "16");
        string[] files = ["shrink.json", "weights.safetensors"];
        foreach (var file in files)
        {
            File.Move(_runs.File($"run/{file}"), _runs.File(file));
        }

        var (report, forms) = Deployed(
            "--strategy", "2:4", "--side", "16", "--shrink-record", _runs.File("shrink.json"),
            "--weights", _runs.File("weights.safetensors"));

        Assert.Equal(["dense", "shrunk", "packed"], shrunk.Select(form => form.Name));
        Assert.Equal(["dense", "packed"], forms.Select(form => form.Name));
        Assert.Equal(shrunk[1].Bytes, forms[0].Bytes);
        Assert.Equal(0.5, report.Sparsity, 0.01);
    }

    [Theory]
    [InlineData("unstructured", "dense packed")]
    [InlineData("channel", "dense shrunk packed")]
    public void Run_WhenDeployed_EndsWithTheSizeAndTimeOfEachForm(string strategy, string expected)
    {
        var (_, forms) = Deployed("--strategy", strategy);

        Assert.Equal(expected, string.Join(' ', forms.Select(form => form.Name)));
        Assert.All(forms[1..], form => Assert.InRange(form.Bytes, 1, forms[0].Bytes - 1));
    }

    /// <summary>Prunes a network of width 8 by PDP; the lines of the table that the run ends with.</summary>
    private (RunReport Report, (string Name, long Bytes)[] Forms) Deployed(params string[] arguments)
    {
        var console = Console.Out;
        using var written = new StringWriter();
        Console.SetOut(written);
        try
        {
            var report = _runs.Run(["--method", "pdp", "--width", "8", "--deploy", "true", .. arguments]);
            var lines = written.ToString().Split(Environment.NewLine).SkipWhile(line => line != Deployment.Header).Skip(1)
                .TakeWhile(line => line[0] != '{').Select(line => line.Split(','));
            return (report, [.. lines.Select(line => (line[0], long.Parse(line[1], CultureInfo.InvariantCulture)))]);
        }
        finally
        {
            Console.SetOut(console);
        }
    }
}
