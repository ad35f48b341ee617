using Pdp.Training;

namespace Pdp.Samples.Tests.Bert;

/// <summary>Whole runs of a tiny BERT.</summary>
public sealed class TrainingRunTests : IDisposable
{
    private readonly BertRuns _runs = new();

    public void Dispose() => _runs.Dispose();

    [Theory]
    [InlineData("pdp", "unstructured")]
    [InlineData("gmp", "unstructured")]
    [InlineData("optg", "unstructured")]
    [InlineData("acdc", "unstructured")]
    [InlineData("granet", "unstructured")]
    [InlineData("dnw", "unstructured")]
    [InlineData("mvp", "unstructured")]
    [InlineData("pdp", "2:4")]
    [InlineData("lnm", "2:4")]
    public void Run_OfAMethod_EndsWithExactlyAsManyZeros(string method, string strategy)
    {
        var report = _runs.Run("--method", method, "--strategy", strategy, "--sparsity", "0.5", "--allocation", strategy == "2:4"
            || method is "optg" or "mvp" ? null : "uniform");

        Assert.Equal(0.5, report.Sparsity);
        Assert.All(File.ReadLines(_runs.File("run/layers.csv")).Skip(1), line => Assert.Contains(
            ".encoder.layer.", line, StringComparison.Ordinal));
        Assert.Equal(12, File.ReadLines(_runs.File("run/layers.csv")).Skip(1).Count());
        Assert.Equal(LibraryVersion.Current, report.Version);
        Assert.Equal(0, PruningReport.FromJson(File.ReadAllText(_runs.File("run/pruning.json"))).Layers.Sum(layer => layer.Violations));
    }

    [Fact]
    public void Run_OfADenseModel_Learns()
    {
        var report = _runs.Run("--method", "dense", "--epochs", "30", "--lr", "1e-2");

        // One in three by chance.
        Assert.InRange(report.Accuracies["dev_matched"], 0.6, 1);
        Assert.Null(report.SoftAccuracy);
    }

    [Fact]
    public void Run_WithATeacher_LearnsFromItsWeights()
    {
        byte[] Taught(int seed)
        {
            _runs.Run("--method", "dense", "--epochs", "2", "--seed", $"{seed}");
            File.Move(_runs.File("run/weights.safetensors"), _runs.File("teacher.safetensors"), overwrite: true);
            var report = _runs.Run(
                "--method", "pdp", "--sparsity", "0.5", "--epochs", "2", "--teacher", _runs.File("teacher.safetensors"));
            Assert.StartsWith("taught ", report.Settings, StringComparison.Ordinal);
            return File.ReadAllBytes(_runs.File("run/weights.safetensors"));
        }

        var first = Taught(seed: 1);

        Assert.Equal(first, Taught(seed: 1));
        Assert.NotEqual(first, Taught(seed: 2));
    }

    // The first step of the third epoch commits, which the checkpoint of the second epoch can't know of.
    [Theory]
    [InlineData(2, false)]
    [InlineData(3, true)]
    public void Run_WithACommitWhereTheRampIsOver_CommitsThere(int untilEpoch, bool expected)
    {
        using (var run = _runs.New([
            "--method", "pdp", "--sparsity", "0.5", "--ramp-end", "1.5", "--commit-at", "2", "--out", _runs.File("run")]))
        {
            run.Run(untilEpoch);
        }

        var checkpoint = Assert.Single(new CheckpointFolder(_runs.File("run/checkpoints")).List());
        Assert.Equal(expected, PrunerState.FromJson(TrainingState.LoadTexts(checkpoint)["pruner"]).IsCommitted);
    }

    [Theory]
    [InlineData("dense")]
    [InlineData("pdp")]
    public void Run_ThatIsResumed_EndsWithTheSameBits(string method)
    {
        string[] options = ["--method", method, "--sparsity", "0.5", "--epochs", "4"];
        _runs.Run(options);
        var expected = File.ReadAllBytes(_runs.File("run/weights.safetensors"));

        using (var stopped = _runs.New([.. options, "--out", _runs.File("stopped")]))
        {
            stopped.Run(untilEpoch: 3);
        }

        Assert.Contains(
            "already holds a run",
            Assert.Throws<ArgumentException>(() => _runs.New([.. options, "--out", _runs.File("stopped")])).Message,
            StringComparison.Ordinal);
        using (var resumed = _runs.New([.. options, "--out", _runs.File("stopped"), "--resume"]))
        {
            resumed.Run();
        }

        Assert.Equal(expected, File.ReadAllBytes(_runs.File("stopped/weights.safetensors")));
        Assert.Equal(5, File.ReadAllLines(_runs.File("stopped/metrics.csv")).Length);
    }

    [Fact]
    public void Run_OfFilesThatEndInBlankLines_IgnoresThose()
    {
        var expected = _runs.Run("--method", "dense", "--epochs", "1");
        var weights = File.ReadAllBytes(_runs.File("run/weights.safetensors"));
        foreach (var file in (string[])["task/train.tsv", "task/dev_matched.tsv"])
            File.AppendAllText(_runs.File(file), "\n  \n");

        var report = _runs.Run("--method", "dense", "--epochs", "1");

        Assert.Equal(weights, File.ReadAllBytes(_runs.File("run/weights.safetensors")));
        Assert.Equal(expected.Accuracy, report.Accuracy);
    }

    [Fact]
    public void Run_OfStr_PrunesByDefault()
    {
        Assert.InRange(_runs.Run("--method", "str", "--epochs", "30", "--lr", "5e-3").Sparsity, 0.01, 1);
    }

    [Fact]
    public void Run_OfWeightsWithTheirPrefix_GivesTheSame()
    {
        _runs.Run("--method", "dense");
        var expected = File.ReadAllBytes(_runs.File("run/weights.safetensors"));
        TinyBert.WriteModel(_runs.File("bert"), prefix: "bert.");

        _runs.Run("--method", "dense");

        Assert.Equal(expected, File.ReadAllBytes(_runs.File("run/weights.safetensors")));
    }

    [Fact]
    public void Run_ThatPrunes_TimesOneTextAndEight()
    {
        var report = _runs.Run("--method", "pdp", "--sparsity", "0.5", "--deploy", "true");

        Assert.Equal([1, 8], report.Latencies.Select(latency => latency.Texts));
        Assert.All(report.Latencies, latency => Assert.True(
            latency is { Tokens: > 0, DenseMilliseconds: > 0, PackedMilliseconds: > 0 }, latency.ToString()));
        Assert.Contains("\"latencies\":[{\"texts\":1,", report.ToJson(), StringComparison.Ordinal);
        Assert.Empty(_runs.Run("--method", "pdp", "--sparsity", "0.5", "--deploy", "false").Latencies);
        Assert.Empty(_runs.Run("--method", "dense", "--deploy", "true").Latencies);
    }
}
