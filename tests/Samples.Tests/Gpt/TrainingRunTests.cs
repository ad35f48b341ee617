using System.Text.Json;
using Pdp.Samples.Gpt;
using Pdp.Samples.Gpt.Training;
using Pdp.Training;

namespace Pdp.Samples.Tests.Gpt;

/// <summary>Whole runs of a small model on a text made here. What transformers have in common is tested with BERT.</summary>
public sealed class TrainingRunTests : IDisposable
{
    private static readonly string[] Subjects = ["the cat", "a dog", "the sun", "no one"];
    private static readonly string[] Verbs = ["sees", "likes", "warms", "finds"];

    private readonly TemporaryFolder _folder = new();

    public TrainingRunTests()
    {
        File.WriteAllText(_folder.File("text.txt"), Text(400));
        new SmallGpt(tokens: 20, positions: 16).Write(_folder.File("model"));
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("pdp", "unstructured")]
    [InlineData("optg", "unstructured")]
    [InlineData("pdp", "2:4")]
    public void Run_OfAMethod_EndsWithExactlyAsManyZeros(string method, string strategy)
    {
        var report = Run("--method", method, "--strategy", strategy, "--sparsity", "0.5");

        Assert.Equal(0.5, report.Sparsity);
        var layers = File.ReadLines(_folder.File("run/layers.csv")).Skip(1).ToArray();
        Assert.Equal(8, layers.Length);
        Assert.All(layers, line => Assert.StartsWith("transformer.h.", line, StringComparison.Ordinal));
        Assert.Equal(0, PruningReport.FromJson(File.ReadAllText(_folder.File("run/pruning.json"))).Layers.Sum(layer => layer.Violations));
        Assert.Equal(method == "optg" ? 896 : 0, report.ExtraParameters);
        Assert.Equal(LibraryVersion.Current, report.Version);
        Assert.Equal(Machine.Processor, report.Machine);
    }

    [Fact]
    public void Run_OfADenseModel_Learns()
    {
        var untrained = Run("--epochs", "0");

        var report = Run("--epochs", "6", "--lr", "2e-2", "--limit", "4000");

        Assert.InRange(report.Perplexity, 1, 0.6 * untrained.Perplexity);
        Assert.Null(report.SoftPerplexity);
        Assert.Equal(["test"], report.Perplexities.Keys);
    }

    [Fact]
    public void Run_OfStr_ReportsWhatItLearnsBesides()
    {
        var report = Run("--method", "str", "--str-start", "-1.1", "--str-decay", "0");

        // The weights are evenly spread over [-0.5, 0.5], and the threshold is a quarter.
        Assert.Equal(8, report.ExtraParameters);
        Assert.InRange(report.Sparsity, 0.4, 0.6);
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
            stopped.Run(untilEpoch: 3);
        }

        Assert.Contains(
            "already holds a run",
            Assert.Throws<ArgumentException>(() => New([.. options, "--out", _folder.File("stopped")])).Message,
            StringComparison.Ordinal);
        var before = Costs();
        using (var resumed = New([.. options, "--out", _folder.File("stopped"), "--resume"]))
        {
            resumed.Run();
        }

        Assert.True(before.StepSeconds > 0);
        Assert.True(Costs().StepSeconds > before.StepSeconds);
        Assert.True(Costs().PeakMemory >= before.PeakMemory);

        Assert.Equal(expected, File.ReadAllBytes(_folder.File("stopped/weights.safetensors")));
        Assert.Equal(
            "epoch,loss,perplexity,folded_perplexity,sparsity,seconds", File.ReadLines(_folder.File("stopped/metrics.csv")).First());
        Assert.Equal(5, File.ReadAllLines(_folder.File("stopped/metrics.csv")).Length);
    }

    [Fact]
    public void Run_ThatIsResumedOnOtherTokens_IsRefused()
    {
        string[] options = ["--out", _folder.File("stopped")];
        using (var stopped = New(options))
        {
            stopped.Run(untilEpoch: 1);
        }

        File.WriteAllText(_folder.File("text.txt"), Text(400).Replace('t', 'T'));
        using var resumed = New([.. options, "--resume"]);

        var error = Assert.Throws<InvalidDataException>(() => resumed.Run());

        Assert.Contains("was made with other settings", error.Message, StringComparison.Ordinal);
        Assert.Contains(" on 20 characters, ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_FromDenseWeights_WritesBesideThem()
    {
        var dense = Run("--write", "10");
        File.Copy(_folder.File("run/weights.safetensors"), _folder.File("dense.safetensors"));
        using var console = new StringWriter();
        var before = Console.Out;
        Console.SetOut(console);
        try
        {
            Run("--method", "pdp", "--sparsity", "0.5", "--start", _folder.File("dense.safetensors"), "--write", "10", "--prompt", "the c");
        }
        finally
        {
            Console.SetOut(before);
        }

        Assert.Equal(10, dense.Text!.Length);
        Assert.Contains("Text that begins with 'the c':\ndense                                          | pdp\n", console.ToString()
            .ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Contains("The output layer is the embedding, one matrix of ", console.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_WithoutWeights_MakesTheTinyModel()
    {
        var report = Run(new Settings { Data = _folder.File("text.txt"), Length = 16, Epochs = 0, Limit = 400, Write = 0, Device = "cpu" });

        // 20 characters and 16 places of width 128; four layers, each of 12 squares of the width, 9 biases and 2 norms; a norm.
        Assert.Equal(((20 + 16) * 128) + (4 * ((12 * 128 * 128) + (9 * 128) + (2 * 256))) + 256, report.Weights);
        Assert.StartsWith("20 characters, ", report.Tokens, StringComparison.Ordinal);
        Assert.Null(report.WeightsHash);
    }

    [Fact]
    public void Run_OfAModelOfHuggingFaces_StartsFromItsWeights()
    {
        new SmallGpt().Write(_folder.File("gpt"));
        File.WriteAllText(_folder.File("text.txt"), string.Concat(Enumerable.Repeat("a b c d e f g h i\n", 20)));

        var report = Run("--weights", _folder.File("gpt"), "--tokens", "words", "--length", "6", "--epochs", "0");

        Assert.NotNull(report.WeightsHash);
        Assert.StartsWith("11 words, ", report.Tokens, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OfAModelWithMoreTokensThanTheTexts_WritesTheTextsTokensAlone()
    {
        new SmallGpt().Write(_folder.File("gpt"));
        File.WriteAllText(_folder.File("text.txt"), string.Concat(Enumerable.Repeat("ab\n", 40)));

        var report = Run("--weights", _folder.File("gpt"), "--tokens", "characters", "--length", "6", "--epochs", "0", "--write", "30");

        Assert.Equal(30, report.Text!.Length);
        Assert.All(report.Text, character => Assert.Contains(character, "ab\n"));
    }

    [Theory]
    [InlineData("--data needs a text file", "--data", null)]
    [InlineData("neither a file nor a folder", "--data", "nowhere")]
    [InlineData("Give either --preset or --weights, not both", "--preset", "tiny", "--weights", "gpt")]
    [InlineData("'gpt2x' lacks config.json, model.safetensors", "--weights", "gpt2x")]
    [InlineData(
        "--length 7 is beyond the model's 6 positions", "--weights", "gpt", "--tokens", "words", "--length", "7", "--data", "words.txt")]
    [InlineData("tokens, fewer than twice a window of 30000", "--length", "30000")]
    [InlineData("--stride 9 is more than a window of 8", "--stride", "9", "--length", "8")]
    [InlineData("--strategy channel is not for this sample", "--method", "pdp", "--strategy", "channel")]
    [InlineData("--epochs 0 only measures", "--method", "pdp", "--epochs", "0")]
    [InlineData("--importance taylor is for --method pdp; gmp ranks in its own way", "--method", "gmp", "--importance", "taylor")]
    [InlineData("--allocation global:0.2 is not for --method optg", "--method", "optg", "--allocation", "global:0.2")]
    [InlineData("has no checkpoint to resume", "--resume")]
    [InlineData("There is no method 'pofa'", "--method", "pofa")]
    [InlineData("There is no preset 'smal'; did you mean small?", "--preset", "smal")]
    [InlineData("There is no kind of tokens 'word'; did you mean words?", "--tokens", "word")]
    public void Run_OfSettingsThatAreWrong_SaysWhatIs(string expected, params string?[] arguments)
    {
        new SmallGpt().Write(_folder.File("gpt"));
        File.WriteAllText(_folder.File("words.txt"), string.Concat(Enumerable.Repeat("a b\n", 20)));
        string?[] given = [.. arguments.Select(argument => argument is "gpt" or "words.txt" ? _folder.File(argument) : argument)];

        var error = Assert.ThrowsAny<ArgumentException>(
            () => given is ["--data", null] ? Run(new Settings()) : Run([.. given.OfType<string>()]));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("run")));
    }

    [Theory]
    [InlineData("--start", "was trained on other tokens")]
    [InlineData("--dense", "was trained on other tokens")]
    public void Run_OfWeightsOfOtherTokens_SaysSo(string option, string expected)
    {
        Run();
        File.Copy(_folder.File("run/weights.safetensors"), _folder.File("dense.safetensors"));
        File.WriteAllText(_folder.File("text.txt"), Text(400).Replace('t', 'T'));

        var error = Assert.Throws<InvalidDataException>(
            () => Run("--method", "pdp", option, _folder.File("dense.safetensors"), "--write", "5"));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private static string Text(int sentences) =>
        string.Concat(Enumerable.Range(0, sentences).Select(i => $"{Subjects[i % 4]} {Verbs[i / 3 % 4]} {Subjects[i / 7 % 4]}\n"));

    private RunCosts Costs() => JsonSerializer.Deserialize<RunCosts>(TrainingState.LoadTexts(
        Directory.GetFiles(_folder.File("stopped/checkpoints"), "*.safetensors").Single())[RunCosts.Name])!;

    private RunReport Run(params string[] arguments)
    {
        if (Directory.Exists(_folder.File("run")))
        {
            Directory.Delete(_folder.File("run"), recursive: true);
        }

        using var run = New([.. arguments, "--out", _folder.File("run")]);
        return run.Run();
    }

    private static RunReport Run(Settings settings)
    {
        using var run = new TrainingRun(settings);
        return run.Run();
    }

    private TrainingRun New(string[] arguments)
    {
        string[] defaults = [
            "--data", _folder.File("text.txt"), "--weights", _folder.File("model"), "--tokens", "characters", "--batch", "8", "--length",
            "16", "--epochs", "2", "--limit", "400", "--write", "0", "--device", "cpu", "--allocation", "uniform",
        ];
        var isOwn = arguments.SkipWhile(argument => argument != "--method").Skip(1).FirstOrDefault() is "optg" or "str"
            || arguments.Contains("2:4");
        var settings = CommandLine.Parse<Settings>(arguments, isOwn ? defaults[..^2] : defaults);
        TorchSharp.torch.manual_seed(settings.Seed);
        return new TrainingRun(settings);
    }
}
