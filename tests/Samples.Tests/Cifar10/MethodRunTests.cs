using System.Text.Json;
using Pdp.Samples.Reports;
using Pdp.Training;

namespace Pdp.Samples.Tests.Cifar10;

/// <summary>Every method through a whole run, on twenty pictures.</summary>
public sealed class MethodRunTests : IDisposable
{
    private const double Prunable = 267264;

    private readonly PictureRuns _runs = new();

    public void Dispose() => _runs.Dispose();

    [Theory]
    [InlineData("pdp")]
    [InlineData("gmp")]
    [InlineData("optg")]
    [InlineData("acdc")]
    [InlineData("granet")]
    [InlineData("dnw")]
    [InlineData("mvp")]
    [InlineData("lnm")]
    public void Run_OnSingleWeights_EndsWithExactlyAsManyZeros(string method)
    {
        var report = _runs.Run("--method", method, "--sparsity", "0.9");

        Assert.Equal(Math.Round(0.9 * Prunable) / Prunable, report.Sparsity);
        Assert.Equal(method is "optg" or "mvp" ? Prunable : 0, report.ExtraParameters);
        Assert.Equal(LibraryVersion.Current, report.Version);
        Assert.Equal(Machine.Processor, report.Machine);
    }

    [Theory]
    [InlineData("pdp")]
    [InlineData("gmp")]
    [InlineData("acdc")]
    [InlineData("dnw")]
    [InlineData("lnm")]
    public void Run_OnGroups_KeepsNofM(string method) => Assert.Equal(0.75, _runs.Run("--method", method, "--strategy", "1:4").Sparsity);

    [Theory]
    [InlineData("pdp")]
    [InlineData("granet")]
    [InlineData("optg")]
    public void Run_WithTheSameSeed_IsTheSameRun(string method)
    {
        byte[] Weights(int seed)
        {
            _runs.Run("--method", method, "--width", "4", "--seed", $"{seed}");
            return File.ReadAllBytes(_runs.File("run/weights.safetensors"));
        }

        var first = Weights(seed: 3);

        Assert.Equal(first, Weights(seed: 3));
        Assert.NotEqual(first, Weights(seed: 4));
    }

    [Fact]
    public void Run_OfStr_ReportsTheSparsityThatCameOut()
    {
        var report = _runs.Run("--method", "str", "--str-start", "-4", "--side", "32");

        Assert.InRange(report.Sparsity, 0.3, 0.99);
        Assert.Equal(18, report.ExtraParameters);
    }

    [Fact]
    public void Run_OfPofa_LearnsFromItsTeacher()
    {
        byte[] Taught(int seed)
        {
            _runs.Run("--method", "dense", "--seed", $"{seed}");
            File.Move(_runs.File("run/weights.safetensors"), _runs.File("teacher.safetensors"), overwrite: true);
            var report = _runs.Run("--method", "pofa", "--teacher", _runs.File("teacher.safetensors"));
            Assert.Equal(Math.Round(0.9 * Prunable) / Prunable, report.Sparsity);
            return File.ReadAllBytes(_runs.File("run/weights.safetensors"));
        }

        var first = Taught(seed: 1);

        Assert.Equal(first, Taught(seed: 1));
        Assert.NotEqual(first, Taught(seed: 2));
    }

    [Fact]
    public void Run_WithACommitWithinAnEpoch_TrainsOnAfterIt()
    {
        var console = Console.Out;
        using var written = new StringWriter();
        Console.SetOut(written);
        try
        {
            _runs.Run("--method", "pdp", "--width", "4", "--commit-at", "2.5");
        }
        finally
        {
            Console.SetOut(console);
        }

        // In the plan, at the commit and at the end.
        Assert.Equal(3, written.ToString().Split("whole model  ").Length - 1);
        var history = JsonSerializer.Deserialize<WeightSnapshot[]>(File.ReadAllText(_runs.File("run/history.json")), Json.Options)!;
        Assert.All(history.GroupBy(snapshot => snapshot.Layer), layer => Assert.NotEqual(
            layer.Single(snapshot => snapshot.Epoch == 3).Range, layer.Single(snapshot => snapshot.Epoch == 4).Range));
    }

    [Fact]
    public void Run_ThatIsResumedAtItsEnd_WritesTheSameHistoryAndCosts()
    {
        var whole = _runs.Run("--method", "pdp", "--width", "4");
        var history = File.ReadAllText(_runs.File("run/history.json"));
        var page = File.ReadAllText(_runs.File("run/report.html"));

        // As if it had been killed just before it wrote that.
        var metrics = File.ReadAllText(_runs.File("run/metrics.csv"));
        File.Delete(_runs.File("run/metrics.csv"));

        var resumed = _runs.Run("--method", "pdp", "--width", "4", "--resume");

        Assert.Equal(metrics, File.ReadAllText(_runs.File("run/metrics.csv")));
        Assert.True(resumed.StepRatio > 1);
        Assert.Equal(whole.StepRatio, resumed.StepRatio);
        Assert.True(resumed.PeakMemory >= whole.PeakMemory);
        Assert.Equal(history, File.ReadAllText(_runs.File("run/history.json")));
        Assert.Equal(page.Split("<svg").Length, File.ReadAllText(_runs.File("run/report.html")).Split("<svg").Length);
    }

    [Fact]
    public void Run_OnHeldOutPictures_SaysSoOnItsPage()
    {
        _runs.Run("--method", "dense", "--width", "4", "--hold-out", "1");

        Assert.Contains(
            "top-1 on the 1 training pictures of each class that were held out", File.ReadAllText(_runs.File("run/report.html")),
            StringComparison.Ordinal);
    }

    // Two batches are an epoch, so that the third is of the next.
    [Fact]
    public void Run_WithReestimation_ChangesNothingButTheStatistics()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var plain = _runs.Run("--method", "pdp", "--width", "8");
        var before = Safetensors.Load(_runs.File("run/weights.safetensors"));

        var report = _runs.Run("--method", "pdp", "--width", "8", "--reestimate", "3");

        var after = Safetensors.Load(_runs.File("run/weights.safetensors"));
        var changed = before.Keys.Where(name => !before[name].bytes.SequenceEqual(after[name].bytes)).ToArray();
        Assert.All(changed, name => Assert.Contains(
            "running_|num_batches".Split('|'), part => name.Contains(part, StringComparison.Ordinal)));
        Assert.Equal(before.Keys.Count(name => name.EndsWith("running_var", StringComparison.Ordinal)), changed.Count(
            name => name.EndsWith("running_var", StringComparison.Ordinal)));
        Assert.All(after.Where(entry => entry.Key.EndsWith("num_batches_tracked", StringComparison.Ordinal)), entry => Assert.Equal(
            3, entry.Value.ReadCpuInt64(0)));
        Assert.Equal(plain.Sparsity, report.Sparsity);
    }

    [Theory]
    [InlineData("--maximum-layer-sparsity", "0.91")]
    [InlineData("--allocation", "global:0.9")]
    public void Run_WithABoundOfLayers_RemovesNoMoreOfAnyLayer(string option, string value)
    {
        var report = _runs.Run("--method", "pdp", "--sparsity", "0.9", option, value, "--width", "8");

        var layers = PruningReport.FromJson(File.ReadAllText(_runs.File("run/pruning.json"))).Layers;
        Assert.Equal(0.9, report.Sparsity, 1e-4);
        // A layer can't lose a part of a weight.
        Assert.All(layers, layer => Assert.InRange(layer.Zeros / (double)layer.Elements, 0.7, 0.91 + (0.5 / layer.Elements)));
    }

    [Fact]
    public void Run_WithTheSparsitiesOfAnother_RemovesAsMuchOfEachLayer()
    {
        _runs.Run("--method", "gmp", "--sparsity", "0.8", "--allocation", "erk", "--width", "8");
        File.Move(_runs.File("run/pruning.json"), _runs.File("gmp.json"));
        var layers = File.ReadAllText(_runs.File("run/layers.csv"));

        var report = _runs.Run("--method", "pdp", "--allocation", "from:" + _runs.File("gmp.json"), "--width", "8");

        Assert.Equal(0.8, report.Sparsity, 1e-4);
        Assert.Equal(Zeros(layers), Zeros(File.ReadAllText(_runs.File("run/layers.csv"))));

        static string[] Zeros(string csv) =>
            [.. csv.Split('\n').Skip(1).Where(line => line.Length > 0).Select(line => string.Join(',', line.Split(',')[..4]))];
    }

    [Theory]
    [InlineData(
        "--allocation names the report 'gone.json', but there is no such file", "--method", "pdp", "--allocation", "from:gone.json")]
    [InlineData("--allocation is not for the channel strategy", "--method", "pdp", "--strategy", "channel", "--allocation", "erk")]
    [InlineData(
        "--allocation is not for 2:4, which removes the same fraction", "--method", "pdp", "--strategy", "2:4", "--allocation", "erk")]
    [InlineData("STR is not defined for the strategy 2:4; it supports unstructured.", "--method", "str", "--strategy", "2:4")]
    [InlineData("nisp prunes channels, not unstructured", "--method", "nisp")]
    [InlineData("pofa learns from a teacher", "--method", "pofa")]
    [InlineData("--importance taylor is for --method pdp; gmp ranks in its own way", "--method", "gmp", "--importance", "taylor")]
    [InlineData("--allocation global:0.2 is not for --method optg", "--method", "optg", "--allocation", "global:0.2")]
    [InlineData("--allocation global is not for --method acdc", "--method", "acdc", "--allocation", "global")]
    [InlineData("GMP has no soft mask", "--method", "gmp", "--temperature", "1e-4")]
    [InlineData(
        "The commit would come in epoch 1, but the schedule ends in epoch 1.6", "--method", "pdp", "--ramp-end", "1.6", "--commit-at", "1")]
    [InlineData("The commit would come in epoch 2, but the schedule ends", "--method", "optg", "--commit-at", "2")]
    [InlineData("A run of gmp can't be resumed", "--method", "gmp", "--resume")]
    public void Run_OfWhatAMethodCantDo_SaysWhatItCan(string expected, params string[] arguments)
    {
        var error = Assert.Throws<ArgumentException>(() => _runs.Run(arguments));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }
}
