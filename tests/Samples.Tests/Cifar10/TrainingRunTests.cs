using Pdp.Samples.Cifar10;

namespace Pdp.Samples.Tests.Cifar10;

public sealed class TrainingRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // The data aren't there, which would be the next error.
    [Fact]
    public void Constructor_WhenThereIsNothingToGoOnWith_SaysSoBeforeItReadsData()
    {
        Directory.CreateDirectory(_folder.File("pdp-1"));
        File.WriteAllText(_folder.File("pdp-1/checkpoint.safetensors"), "");
        var settings = new Settings { Data = _folder.File("none"), Out = _folder.File("pdp-2"), Resume = true };

        var error = Assert.Throws<ArgumentException>(() => new TrainingRun(settings));

        Assert.Equal($"--resume found no checkpoint.safetensors in '{_folder.File("pdp-2")}'; did you mean --out {_folder.File("pdp-1")}? "
            + "To start over, leave out --resume.", error.Message);
    }

    [Theory]
    [InlineData("checkpoint.safetensors", "already holds a run: give --resume to continue it")]
    [InlineData("metrics.csv", "already holds the results of another run")]
    [InlineData("weights.safetensors", "already holds the results of another run")]
    public void Constructor_WhereARunIs_SaysSoBeforeItReadsData(string file, string expected)
    {
        File.WriteAllText(_folder.File(file), "");

        var error = Assert.Throws<ArgumentException>(
            () => new TrainingRun(new Settings { Data = _folder.File("none"), Out = _folder.Path }));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("(--dense-epochs) and end at epoch 1.5 (--ramp-end)", "--dense-epochs", "2")]
    [InlineData("(--dense-epochs) and end at epoch 4 (--ramp-end)", "--ramp-end", "4")]
    [InlineData("end at epoch 10.375 (--epsilon)", "--epsilon", "0.1")]
    [InlineData("end at epoch 0.1 (--anneal-end)", "--relative-temperature", "1:0.03", "--anneal-end", "0.1")]
    [InlineData("--epochs 0 only measures", "--epochs=0")]
    public void Constructor_WhenTimesCantBe_NamesTheirOptionsBeforeItReadsData(string expected, params string[] arguments)
    {
        var settings = CommandLine.Parse<Settings>(arguments, ["--method", "pdp", "--epochs", "3", "--data", _folder.File("none")]);

        var error = Assert.Throws<ArgumentException>(() => new TrainingRun(settings));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("A run of gmp can't be distributed; dense and pdp can.", "--method", "gmp")]
    [InlineData("give --download to a run without --distributed first", "--download")]
    [InlineData("--importance taylor learns from the gradients of each rank's own pictures", "--method", "pdp", "--importance", "taylor")]
    public void Constructor_OfWhatCantBeDistributed_SaysSoBeforeItReadsData(string expected, params string[] arguments)
    {
        var error = Assert.Throws<ArgumentException>(() => new TrainingRun(CommandLine.Parse<Settings>(["--distributed", .. arguments])));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_WhenNoFolderIsGiven_AsksForIt()
    {
        var error = Assert.Throws<ArgumentException>(() => new TrainingRun(new Settings { Data = _folder.File("none"), Resume = true }));

        Assert.Equal("--resume needs --out, the folder of the run to continue.", error.Message);
    }
}
