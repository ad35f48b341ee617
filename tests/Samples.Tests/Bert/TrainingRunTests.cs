using Pdp.Samples.Bert;
using Pdp.Samples.Bert.Training;

namespace Pdp.Samples.Tests.Bert;

/// <summary>Whole runs of a tiny BERT.</summary>
public sealed class TrainingRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public TrainingRunTests()
    {
        TinyBert.WriteModel(_folder.File("bert"));
        TinyBert.WriteTask(_folder.File("task"));
    }

    public void Dispose() => _folder.Dispose();

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
        var report = Run("--method", method, "--strategy", strategy, "--sparsity", "0.5", "--allocation", strategy == "2:4"
            || method is "optg" or "mvp" ? null : "uniform");

        Assert.Equal(0.5, report.Sparsity, 1e-4);
        Assert.All(File.ReadLines(_folder.File("run/layers.csv")).Skip(1), line => Assert.Contains(
            ".encoder.layer.", line, StringComparison.Ordinal));
        Assert.Equal(12, File.ReadLines(_folder.File("run/layers.csv")).Skip(1).Count());
        Assert.InRange(report.Accuracies["dev_matched"], 0, 1);
        Assert.Equal(0, PruningReport.FromJson(File.ReadAllText(_folder.File("run/pruning.json"))).Layers.Sum(layer => layer.Violations));
    }

    [Fact]
    public void Run_OfADenseModel_Learns()
    {
        var report = Run("--method", "dense", "--epochs", "30", "--lr", "1e-2");

        // One in three by chance.
        Assert.InRange(report.Accuracies["dev_matched"], 0.6, 1);
        Assert.Null(report.SoftAccuracy);
    }

    [Fact]
    public void Run_WithATeacher_TakesItsWeights()
    {
        Run("--method", "dense");
        File.Copy(_folder.File("run/weights.safetensors"), _folder.File("teacher.safetensors"));

        var taught = Run("--method", "pdp", "--sparsity", "0.5", "--teacher", _folder.File("teacher.safetensors"));
        var weights = File.ReadAllBytes(_folder.File("run/weights.safetensors"));
        Run("--method", "pdp", "--sparsity", "0.5");

        Assert.StartsWith("taught ", taught.Settings, StringComparison.Ordinal);
        Assert.NotEqual(weights, File.ReadAllBytes(_folder.File("run/weights.safetensors")));
    }

    [Theory]
    [InlineData("dense")]
    [InlineData("pdp")]
    public void Run_ThatIsResumed_EndsWithTheSameBits(string method)
    {
        string[] options = ["--method", method, "--sparsity", "0.5", "--epochs", "4"];
        Run(options);
        var expected = File.ReadAllBytes(_folder.File("run/weights.safetensors"));

        using (var stopped = New([.. options, "--out", _folder.File("stopped")]))
        {
            stopped.Run(untilEpoch: 2);
        }

        Assert.Contains(
            "already holds a run",
            Assert.Throws<ArgumentException>(() => New([.. options, "--out", _folder.File("stopped")])).Message,
            StringComparison.Ordinal);
        using (var resumed = New([.. options, "--out", _folder.File("stopped"), "--resume"]))
        {
            resumed.Run();
        }

        Assert.Equal(expected, File.ReadAllBytes(_folder.File("stopped/weights.safetensors")));
        Assert.Equal(5, File.ReadAllLines(_folder.File("stopped/metrics.csv")).Length);
    }

    [Theory]
    [InlineData("lacks vocab.txt", "bert/vocab.txt", null)]
    [InlineData("is not a BERT's vocab.txt: it lacks [CLS], [MASK]", "bert/vocab.txt", "[PAD]\n[UNK]\n[SEP]\n")]
    [InlineData(
        "vocab.txt has 16 pieces, but config.json a vocab_size of 15",
        "bert/vocab.txt",
        "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\n")]
    [InlineData(
        "hidden_size 16 can't be divided by num_attention_heads 3",
        "bert/config.json",
        """{ "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 32, "vocab_size": 15 }""")]
    [InlineData("is not a BERT's config.json", "bert/config.json", """{ "hidden_size": 16 }""")]
    [InlineData(
        "bert.encoder.layer.2.",
        "bert/config.json",
        """{ "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 15,"""
            + """ "max_position_embeddings": 24 }""")]
    [InlineData(
        "intermediate.dense.weight",
        "bert/config.json",
        """{ "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "vocab_size": 15,"""
            + """ "max_position_embeddings": 24 }""")]
    [InlineData("has no train.tsv or train.jsonl", "task/train.tsv", null)]
    [InlineData("has no header", "task/train.tsv", "")]
    [InlineData("has no header", "task/train.tsv", "premise\nyes\n")]
    [InlineData("has no texts with a label", "task/train.tsv", "premise\thypothesis\tgold_label\n")]
    [InlineData("has 4 values in line 2, but 3 columns", "task/train.tsv", "premise\thypothesis\tgold_label\nyes\tno\tneutral\tmore\n")]
    [InlineData(
        "has no gold_label, label or is_duplicate in line 2; it has premise, hypothesis",
        "task/train.tsv",
        "premise\thypothesis\nyes\tno\n")]
    [InlineData("has an empty hypothesis in line 2", "task/train.tsv", "premise\thypothesis\tgold_label\nyes\t\tneutral\n")]
    [InlineData("has only the label 'neutral'", "task/train.tsv", "premise\thypothesis\tgold_label\nyes\tno\tneutral\n")]
    [InlineData(
        "has the label 'unsure', which the training texts don't have",
        "task/dev_matched.tsv",
        "premise\thypothesis\tgold_label\nyes\tno\tunsure\n")]
    [InlineData("is not text in UTF-8", "task/dev_matched.tsv", "latin")]
    public void Run_OfFilesThatAreWrong_SaysWhatIs(string expected, string file, string? text)
    {
        var path = _folder.File(file);
        File.Delete(path);
        if (text == "latin")
        {
            File.WriteAllBytes(path, [.. "premise\thypothesis\tgold_label\ncaf"u8, 0xE9, .. "\tno\tneutral\n"u8]);
        }
        else if (text is not null)
        {
            File.WriteAllText(path, text);
        }

        var error = Assert.ThrowsAny<Exception>(() => Run("--method", "dense"));

        Assert.True(error is ArgumentException or InvalidDataException, error.ToString());
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("run")));
    }

    [Theory]
    [InlineData("--length 25 is beyond the encoder's 24 positions", "--length", "25")]
    [InlineData("pofa learns from a teacher", "--method", "pofa")]
    [InlineData("--strategy channel is not for this sample", "--method", "pdp", "--strategy", "channel")]
    [InlineData("--epochs 0 only measures", "--method", "pdp", "--epochs", "0")]
    [InlineData("has no checkpoint to resume", "--resume")]
    [InlineData("There is no method 'pfd'; did you mean pdp?", "--method", "pfd")]
    [InlineData("Must be in [0, 1]", "--distill", "1.5")]
    public void Run_OfSettingsThatAreWrong_SaysWhatIs(string expected, params string[] arguments)
    {
        var error = Assert.ThrowsAny<ArgumentException>(() => Run(arguments));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OfATeacherWithoutAClassifier_SaysSo()
    {
        var error = Assert.Throws<InvalidDataException>(() => Run("--method", "pdp", "--teacher", _folder.File("bert/model.safetensors")));

        Assert.Contains("has no classifier: --teacher needs the weights of a fine-tuned model", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OfWeightsWithTheirPrefix_GivesTheSame()
    {
        Run("--method", "dense");
        var expected = File.ReadAllBytes(_folder.File("run/weights.safetensors"));
        TinyBert.WriteModel(_folder.File("bert"), prefix: "bert.");

        Run("--method", "dense");

        Assert.Equal(expected, File.ReadAllBytes(_folder.File("run/weights.safetensors")));
    }

    [Fact]
    public void Run_ThatPrunes_TimesOneTextAndEight()
    {
        var report = Run("--method", "pdp", "--sparsity", "0.5");

        Assert.Equal([1, 8], report.Latencies.Select(latency => latency.Texts));
        Assert.All(report.Latencies, latency => Assert.True(
            latency is { Tokens: > 0, DenseMilliseconds: > 0, PackedMilliseconds: > 0 }, latency.ToString()));
        Assert.Contains("\"latencies\":[{\"texts\":1,", report.ToJson(), StringComparison.Ordinal);
        Assert.Empty(Run("--method", "pdp", "--sparsity", "0.5", "--deploy", "false").Latencies);
        Assert.Empty(Run("--method", "dense").Latencies);
    }

    private RunReport Run(params string?[] arguments)
    {
        string[] given = arguments is [.., null] ? [.. arguments[..^2].OfType<string>()] : [.. arguments.OfType<string>()];
        if (Directory.Exists(_folder.File("run")))
        {
            Directory.Delete(_folder.File("run"), recursive: true);
        }

        using var run = New([.. given, "--out", _folder.File("run")]);
        return run.Run();
    }

    private TrainingRun New(string[] arguments)
    {
        string[] defaults = [
            "--weights", _folder.File("bert"), "--data", _folder.File("task"), "--batch", "8", "--length", "16", "--epochs", "4", "--lr",
            "1e-3",
        ];
        var settings = CommandLine.Parse<Settings>(arguments, defaults);
        TorchSharp.torch.manual_seed(settings.Seed);
        return new TrainingRun(settings);
    }
}
