using System.Globalization;

namespace Pdp.Samples.Tests.Cifar10;

/// <summary>Runs that are tested in every epoch, and runs that end before their time.</summary>
public sealed class TestedRunTests : IDisposable
{
    private readonly PictureRuns _runs = new();

    public void Dispose() => _runs.Dispose();

    [Fact]
    public void Run_ThatIsTestedInEveryEpoch_WritesTheAccuracyOfEachForm()
    {
        var untrained = _runs.Run("--method", "dense", "--width", "4", "--epochs", "0");

        var report = _runs.Run("--method", "pdp", "--width", "4", "--test-every", "1");

        string[] lines = File.ReadAllLines(_runs.File("run/metrics.csv"));
        Assert.Equal("epoch,loss,lr,accuracy,folded_accuracy,seconds,sparsity", lines[0]);
        string[][] epochs = [.. lines[1..].Select(line => line.Split(','))];
        Assert.Equal(["1", "2", "3", "4"], epochs.Select(epoch => epoch[0]));
        Assert.All(epochs.SelectMany(epoch => epoch[3..5]), accuracy => Assert.InRange(Number(accuracy), 0, 1));
        Assert.Equal(untrained.Accuracy, report.StartAccuracy);
        Assert.Equal(Number(epochs[^1][3]), report.SoftAccuracy);
        Assert.Equal(Number(epochs[^1][4]), report.FoldedAccuracy);
        Assert.Equal(report.FoldedAccuracy, report.Accuracy);
        Assert.NotNull(report.RawAccuracy);
    }

    [Fact]
    public void Run_ThatIsTestedInEverySecondEpoch_LeavesTheOthersOut()
    {
        _runs.Run("--method", "pdp", "--width", "4", "--test-every", "2");

        Assert.Equal(["", "test", "", "test"], File.ReadLines(_runs.File("run/metrics.csv")).Skip(1)
            .Select(line => line.Split(',')[3..5] is ["", ""] ? "" : "test"));
    }

    [Theory]
    [InlineData("dense")]
    [InlineData("pdp")]
    public void Run_ThatIsResumedWithinItsEpochs_EndsWithTheSameBits(string method)
    {
        string[] options = ["--method", method, "--width", "4"];
        _runs.Run(options);
        var expected = File.ReadAllBytes(_runs.File("run/weights.safetensors"));
        var console = Console.Out;
        using var ending = new Ending("3,");
        Console.SetOut(ending);
        try
        {
            Assert.Throws<TimeoutException>(() => _runs.Run(options));
        }
        finally
        {
            Console.SetOut(console);
        }

        Assert.False(File.Exists(_runs.File("run/weights.safetensors")));
        _runs.Run([.. options, "--resume"]);

        Assert.Equal(expected, File.ReadAllBytes(_runs.File("run/weights.safetensors")));
        Assert.Equal(5, File.ReadAllLines(_runs.File("run/metrics.csv")).Length);
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>Ends a run where it is about to write a line, as if the process had been killed.</summary>
    private sealed class Ending(string line) : StringWriter(CultureInfo.InvariantCulture)
    {
        public override void Write(string? value)
        {
            if (value?.StartsWith(line, StringComparison.Ordinal) == true)
            {
                throw new TimeoutException();
            }

            base.Write(value);
        }
    }
}
