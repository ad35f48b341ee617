using Pdp.Samples.Cifar10;
using Pdp.Samples.Reports;
using Pdp.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.Cifar10;

public sealed class CheckpointTests : IDisposable
{
    private const string Fingerprint = "--lr 0.1 --seed 3";
    private readonly TemporaryFolder _folder = new();
    private readonly ResNet20 _model = new();
    private readonly ResNet20 _other = new();
    private readonly DisposeScope _scope = NewDisposeScope();
    private static readonly SgdOptions Options = new() { LearningRate = 0.1, Momentum = 0.9, WeightDecay = 5e-4 };
    private readonly FusedSgd _optimizer;
    private readonly FusedSgd _otherOptimizer;

    public CheckpointTests()
    {
        _optimizer = new FusedSgd(_model.named_parameters(), Options);
        _otherOptimizer = new FusedSgd(_other.named_parameters(), Options);
    }

    private string Path => _folder.File("checkpoint.safetensors");

    public void Dispose()
    {
        _optimizer.Dispose();
        _otherOptimizer.Dispose();
        _scope.Dispose();
        _model.Dispose();
        _other.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Load_WhenSaved_GoesOnBitForBit()
    {
        Train(_model, _optimizer);
        new Checkpoint(1, 0.5, [], null).Save(Path, _model, _optimizer, Fingerprint);
        Train(_model, _optimizer);

        Checkpoint.Load(Path, _other, _otherOptimizer, Fingerprint);
        Train(_other, _otherOptimizer);

        Assert.All(_model.state_dict(), entry => Assert.Equal(entry.Value.bytes.ToArray(), _other.state_dict()[entry.Key].bytes.ToArray()));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("{\"epoch\":2}")]
    public void Load_WhenSaved_GivesTheSameNumbers(string? pruner)
    {
        var metrics = new EpochMetrics(1, 0.25, 0.1, 0.8125, 0.75, 3.5, 0.5);
        var snapshot = new WeightSnapshot("conv1.weight", 2, 0.5, [1, 2], 0.25, null);
        var saved = new Checkpoint(2, 1 / 3.0, [metrics], pruner) { Weights = [snapshot], Costs = new RunCosts(12.5, 1 / 3.0, 1L << 33) };
        saved.Save(Path, _model, _optimizer, Fingerprint);

        var loaded = Checkpoint.Load(Path, _other, _otherOptimizer, Fingerprint);

        Assert.Equal(saved with { Metrics = loaded.Metrics, Weights = loaded.Weights }, loaded);
        Assert.Equivalent(snapshot, Assert.Single(loaded.Weights), strict: true);
        Assert.Equal([metrics], loaded.Metrics);
    }

    [Fact]
    public void Load_WhenSettingsDiffer_ShowsBothAndChangesNothing()
    {
        new Checkpoint(1, 0.5, [], null).Save(Path, _model, _optimizer, Fingerprint);
        var before = _other.state_dict()["conv1.weight"].bytes.ToArray();

        var error = Assert.Throws<InvalidDataException>(() => Checkpoint.Load(Path, _other, _otherOptimizer, "--lr 0.2 --seed 3"));

        Assert.Contains(Fingerprint, error.Message, StringComparison.Ordinal);
        Assert.Contains("--lr 0.2 --seed 3", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, _other.state_dict()["conv1.weight"].bytes.ToArray());
    }

    [Theory]
    [InlineData("epoch", "-1")]
    [InlineData("epoch", "9")]
    [InlineData("epoch", "")]
    [InlineData("start_accuracy", "NaN")]
    [InlineData("metrics", "null")]
    [InlineData("metrics", "[null]")]
    [InlineData("metrics", "{\"Loss\":1e400}")]
    [InlineData("costs", "null")]
    [InlineData("costs", "{\"StepSeconds\":-1,\"PruningSeconds\":0}")]
    [InlineData("costs", "{\"StepSeconds\":1,\"PruningSeconds\":2}")]
    [InlineData("costs", "{\"StepSeconds\":1,\"PruningSeconds\":1,\"PeakMemory\":-1}")]
    [InlineData("pruner", "{}")]
    [InlineData("pruner", "x")]
    public void Load_WhenTheHeaderIsDamaged_NamesFileAndPlaceAndChangesNothing(string name, string text)
    {
        Train(_model, _optimizer);
        new Checkpoint(1, 0.5, [], null).Save(Path, _model, _optimizer, Fingerprint);
        Change(header => header[name] = text, _ => { });

        AssertRefused($"'{Path}' is damaged: its '{name}'");
    }

    [Fact]
    public void Load_WhenThePrunersStateIsMissing_SaysSoAndChangesNothing()
    {
        new Checkpoint(1, 0.5, [], null).Save(Path, _model, _optimizer, Fingerprint);

        AssertRefused("has no 'pruner' in its header");
    }

    [Fact]
    public void Load_WhenThePrunerRefusesItsState_PutsTheWeightsBack()
    {
        using var pruner = new PdpPruner(_model, new PdpOptions { Epochs = 4, Sparsity = 0.75 });
        Train(_model, _optimizer);
        new Checkpoint(1, 0.5, [], pruner.GetState().ToJson()).Save(Path, _model, _optimizer, Fingerprint);

        AssertRefused($"The pruner can't continue from '{Path}'");
    }

    [Fact]
    public void Load_WhenTheOptimizersStateDoesNotFit_NamesItAndChangesNothing()
    {
        Train(_model, _optimizer);
        new Checkpoint(1, 0.5, [], null).Save(Path, _model, _optimizer, Fingerprint);
        Change(_ => { }, tensors => tensors["optimizer.conv1.weight.momentum_buffer"] = ones(3));

        AssertRefused("'conv1.weight.momentum_buffer' is [3]", withPruner: false);
    }

    [Fact]
    public void Load_WhenFileIsNoCheckpoint_SaysSo()
    {
        Safetensors.Save(Path, _model.state_dict());

        var error = Assert.Throws<InvalidDataException>(() => Checkpoint.Load(Path, _other, _otherOptimizer, Fingerprint));

        Assert.Contains("it is not a checkpoint", error.Message, StringComparison.Ordinal);
    }

    private void Change(Action<Dictionary<string, string>> changeHeader, Action<Dictionary<string, Tensor>> changeTensors)
    {
        var (header, tensors) = (Safetensors.LoadMetadata(Path).ToDictionary(), Safetensors.Load(Path));
        changeHeader(header);
        changeTensors(tensors);
        Safetensors.Save(Path, tensors, header);
        Resealing.Reseal(Path);
    }

    private void AssertRefused(string expected, bool withPruner = true)
    {
        using var pruner = withPruner ? new PdpPruner(_other, new PdpOptions { Epochs = 4, Sparsity = 0.5 }) : null;
        var before = State();

        var error = Assert.Throws<InvalidDataException>(
            () => Checkpoint.Load(Path, _other, _otherOptimizer, Fingerprint, pruner, epochs: 8));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Equal(before, State());

        string[] State() => [.. _other.state_dict()
            .Concat(_otherOptimizer.GetState()).Select(entry => Convert.ToHexString(entry.Value.bytes)), pruner?.GetState().ToJson() ?? ""];
    }

    private static void Train(ResNet20 model, FusedSgd optimizer)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var pictures = randn([2, 3, 32, 32], generator: generator);
        for (var step = 0; step < 2; step++)
        {
            optimizer.zero_grad();
            nn.functional.cross_entropy(model.call(pictures), tensor(new[] { 1L, 7 })).backward();
            optimizer.step();
        }
    }
}
