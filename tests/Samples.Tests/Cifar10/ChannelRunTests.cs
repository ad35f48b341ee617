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
        var report = _runs.Run("--method", method, "--strategy", "channel", "--mac-budget", "0.5", "--side", "16");

        Assert.InRange(report.MacsRemoved!.Value, 0.49, 0.51);
        Assert.Contains("MACs removed", File.ReadAllText(_runs.File("run/report.html")), StringComparison.Ordinal);
        Assert.True(File.Exists(_runs.File("run/shrink.json")));
    }

    [Fact]
    public void Run_OfDcp_MeetsTheBudgetAndShrinks()
    {
        var report = _runs.Run(
            "--method", "dcp", "--strategy", "channel", "--mac-budget", "0.5", "--width", "2", "--side", "8",
            "--dcp-steps", "1", "--dcp-updates", "0");

        Assert.InRange(report.MacsRemoved!.Value, 0.4, 0.6);
        Assert.Contains("MACs removed", File.ReadAllText(_runs.File("run/report.html")), StringComparison.Ordinal);
        Assert.True(File.Exists(_runs.File("run/shrink.json")));
    }

    [Fact]
    public void Run_OfAShrunkNetwork_EndsWithItsForms()
    {
        _runs.Run("--method", "pdp", "--width", "8", "--strategy", "channel", "--side", "16");
        string[] files = ["shrink.json", "weights.safetensors"];
        foreach (var file in files)
        {
            File.Move(_runs.File($"run/{file}"), _runs.File(file));
        }

        var report = _runs.Run(
            "--method", "pdp", "--width", "8", "--strategy", "2:4", "--side", "16", "--deploy", "true",
            "--shrink-record", _runs.File("shrink.json"), "--weights", _runs.File("weights.safetensors"));

        Assert.Equal(0.5, report.Sparsity, 0.01);
    }

    [Theory]
    [InlineData("unstructured", "dense packed")]
    [InlineData("channel", "dense shrunk packed")]
    public void Run_WhenDeployed_EndsWithTheSizeAndTimeOfEachForm(string strategy, string expected)
    {
        var console = Console.Out;
        using var written = new StringWriter();
        Console.SetOut(written);
        try
        {
            _runs.Run("--method", "pdp", "--width", "8", "--strategy", strategy, "--deploy", "true");
        }
        finally
        {
            Console.SetOut(console);
        }

        string[][] lines = [.. written.ToString().Split(Environment.NewLine)
            .SkipWhile(line => line != Deployment.Header).Skip(1).TakeWhile(line => line[0] != '{').Select(line => line.Split(','))];
        Assert.Equal(expected, string.Join(' ', lines.Select(line => line[0])));
        long[] sizes = [.. lines.Select(line => long.Parse(line[1], System.Globalization.CultureInfo.InvariantCulture))];
        Assert.All(sizes[1..], size => Assert.InRange(size, 1, sizes[0] - 1));
    }
}
