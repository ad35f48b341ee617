using System.Globalization;
using TorchSharp;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Saving;

public sealed class PrunerStateTests
{
    private static readonly PdpOptions Options = new() { Sparsity = 0.8, Epochs = 6, Schedule = new CubicRamp(1, 4) };

    [Theory]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(20)]
    public void Restore_InTheMiddleOfARun_ContinuesBitForBit(int stop)
    {
        using var uninterrupted = TestModels.Cnn();
        using (var pruner = new PdpPruner(uninterrupted, Options))
            Train(uninterrupted, pruner, 0, 24);
        using var model = TestModels.Cnn();
        string state;
        using (var pruner = new PdpPruner(model, Options))
        {
            Train(model, pruner, 0, stop);
            state = pruner.GetState().ToJson();
        }

        using var resumed = TestModels.Cnn(seed: 7);
        resumed.load_state_dict(model.state_dict());
        using (var pruner = new PdpPruner(resumed, Options))
        {
            pruner.Restore(PrunerState.FromJson(state));
            Train(resumed, pruner, stop, 24);
        }

        Assert.Equal(TestModels.Bytes(uninterrupted), TestModels.Bytes(resumed));
    }

    [Fact]
    public void Restore_OfACommittedRun_KeepsTheZeros()
    {
        using var model = TestModels.Cnn();
        string state;
        long removed;
        using (var pruner = new PdpPruner(model, Options))
        {
            Train(model, pruner, 0, 24);
            removed = pruner.Commit().Removed;
            state = pruner.GetState().ToJson();
        }

        using var again = new PdpPruner(model, Options);
        again.Restore(PrunerState.FromJson(state));
        again.Mask().Dispose();
        var report = again.Commit();

        Assert.True(again.IsCommitted);
        Assert.Equal((removed, removed), (report.Removed, report.Layers.Sum(layer => layer.Zeros)));
    }

    [Fact]
    public void Restore_OfOtherOptions_NamesBothAndChangesNothing()
    {
        using var model = TestModels.Cnn();
        using var pruner = new PdpPruner(model, Options);
        using var other = new PdpPruner(model, Options with { Sparsity = 0.7 });

        var fault = Assert.Throws<ArgumentException>(() => pruner.Restore(other.GetState()));

        Assert.Contains("Sparsity was 0.7 when the state was saved, and is 0.8 now", fault.Message);
        Assert.Null(pruner.Epoch);
    }

    [Fact]
    public void Restore_OfAnotherModel_IsRefused()
    {
        using var model = TestModels.Cnn();
        using var other = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options);
        using var saved = new PdpPruner(other, Options);

        Assert.Throws<ArgumentException>(() => pruner.Restore(saved.GetState()));
    }

    [Fact]
    public void Restore_OfDamagedTargets_ChangesNothing()
    {
        using var model = TestModels.Cnn();
        using var pruner = new PdpPruner(model, Options);
        var state = pruner.GetState() with { Targets = new Dictionary<string, long> { ["conv1.weight"] = 1 } };

        Assert.Contains("damaged", Assert.Throws<ArgumentException>(() => pruner.Restore(state)).Message);

        Assert.Null(pruner.GetState().Targets);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[1, 2]")]
    [InlineData("{\"version\": 1}")]
    [InlineData("{\"version\": 99, \"epoch\": 3}")]
    [InlineData("{\"version\": \"2\"}")]
    [InlineData("{\"version\": 1e99}")]
    [InlineData("{\"version\": 1, \"fingerprint\": \"\", \"options\": \"\", \"epoch\": 0, \"startedAt\": null, \"reportsAboveLevel\": 0, "
        + "\"targets\": null, \"isCommitted\": false}")]
    public void FromJson_OfSomethingElse_SaysSo(string json)
    {
        var fault = Assert.Throws<ArgumentException>(() => PrunerState.FromJson(json));

        Assert.Contains("pruner state", fault.Message);
    }

    [Fact]
    public void FromJson_OfAnOlderOrLaterVersion_NamesBoth()
    {
        var fault = Assert.Throws<ArgumentException>(() => PrunerState.FromJson("{\"version\": 1, \"fingerprint\": \"\"}"));

        Assert.Contains("version 1; this library reads version 2", fault.Message);
    }

    [Fact]
    public void GetState_InAnotherCulture_IsTheSame()
    {
        using var model = TestModels.Cnn();
        using var pruner = new PdpPruner(model, Options);
        var expected = pruner.GetState().ToJson();
        var before = CultureInfo.CurrentCulture;

        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("") { NumberFormat = { NumberDecimalSeparator = "," } };
            using var other = new PdpPruner(model, Options);
            Assert.Equal(expected, other.GetState().ToJson());
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private static void Train(Module<torch.Tensor, torch.Tensor> model, PdpPruner pruner, int from, int to)
    {
        for (var step = from; step < to; step++)
        {
            using var scope = torch.NewDisposeScope();
            using var generator = new torch.Generator((ulong)step);
            var inputs = torch.randn([4, 3, 6, 6], generator: generator);
            pruner.BeginEpoch(step / 4.0);
            using (pruner.Mask())
                model.call(inputs).tanh().sum().backward();
            TestModels.Step(model, 0.05);
        }
    }
}
