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

        Assert.Equal(0.5, report.Sparsity, 1e-4);
        Assert.All(File.ReadLines(_runs.File("run/layers.csv")).Skip(1), line => Assert.Contains(
            ".encoder.layer.", line, StringComparison.Ordinal));
        Assert.Equal(12, File.ReadLines(_runs.File("run/layers.csv")).Skip(1).Count());
        Assert.InRange(report.Accuracies["dev_matched"], 0, 1);
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
    public void Run_WithATeacher_TakesItsWeights()
    {
        _runs.Run("--method", "dense");
        File.Copy(_runs.File("run/weights.safetensors"), _runs.File("teacher.safetensors"));

        var taught = _runs.Run("--method", "pdp", "--sparsity", "0.5", "--teacher", _runs.File("teacher.safetensors"));
        var weights = File.ReadAllBytes(_runs.File("run/weights.safetensors"));
        _runs.Run("--method", "pdp", "--sparsity", "0.5");

        Assert.StartsWith("taught ", taught.Settings, StringComparison.Ordinal);
        Assert.NotEqual(weights, File.ReadAllBytes(_runs.File("run/weights.safetensors")));
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
        File.AppendAllText(_runs.File("task/train.tsv"), "\n  \n");

        Assert.InRange(_runs.Run("--method", "dense", "--epochs", "1").Accuracy, 0, 1);
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
        var report = _runs.Run("--method", "pdp", "--sparsity", "0.5");

        Assert.Equal([1, 8], report.Latencies.Select(latency => latency.Texts));
        Assert.All(report.Latencies, latency => Assert.True(
            latency is { Tokens: > 0, DenseMilliseconds: > 0, PackedMilliseconds: > 0 }, latency.ToString()));
        Assert.Contains("\"latencies\":[{\"texts\":1,", report.ToJson(), StringComparison.Ordinal);
        Assert.Empty(_runs.Run("--method", "pdp", "--sparsity", "0.5", "--deploy", "false").Latencies);
        Assert.Empty(_runs.Run("--method", "dense").Latencies);
    }
}
