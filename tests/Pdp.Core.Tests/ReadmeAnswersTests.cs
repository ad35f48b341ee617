using Pdp.Tests.Support;
using Pdp.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

/// <summary>The code under the README's questions.</summary>
public sealed class ReadmeAnswersTests
{
    [Fact]
    public void Layers_OfTheReadme_StayDenseWhereTheyAreExcluded()
    {
        using var model = Sequential(
            ("conv1", Conv2d(3, 8, 3)), ("layer1", Sequential(("conv", Conv2d(8, 8, 3)), ("downsample", Sequential(
                ("conv", Conv2d(8, 8, 1)))))), ("layer4", Sequential(("conv", Conv2d(8, 16, 3)))), ("fc", Linear(16, 4)));
        const int epochs = 8;

        // README
        var options = new PdpOptions
        {
            Sparsity = 0.9,
            Epochs = epochs,
            Exclude = ["fc", "*.downsample", LayerMatch.First],                 // these stay dense
            Rules = [new LayerRule("layer4") { Sparsity = 0.95 }],              // these get their own sparsity
        };
        using var pruner = new PdpPruner(model, options);
        Console.WriteLine(pruner.Plan());                                       // what each layer will lose, or why it stays dense
        // README

        Assert.Equal(["layer1.conv.weight", "layer4.conv.weight"], pruner.Plan().Layers.Where(layer => layer.DenseReason is null)
            .Select(layer => layer.Name));
    }

    [Fact]
    public void Transformer_OfTheReadme_LeavesEmbeddingAndHeadDense()
    {
        using var model = Sequential(
            ("embedding", Embedding(65, 16)),
            ("block", Sequential(("fc1", Linear(16, 64)), ("gelu", GELU()), ("fc2", Linear(64, 16)))),
            ("head", Linear(16, 65)));
        const int epochs = 8;

        // README
        using var optimizer = new FusedAdamW(
            ParameterGroup.DecayWeightsOnly(model.named_parameters(), 0.01),    // no decay for biases and norms
            new AdamOptions { LearningRate = 3e-4 });
        using var pruner = new PdpPruner(model, new PdpOptions
        {
            Sparsity = 0.8,
            Epochs = epochs,
            Exclude = ["head"],                                                 // embeddings are dense anyway
        });
        // README

        Assert.Equal(["block.fc1.weight", "block.fc2.weight"], pruner.Plan().Layers.Where(layer => layer.DenseReason is null)
            .Select(layer => layer.Name));
    }

    [Fact]
    public void Files_OfTheReadme_LoadIntoAFreshModel()
    {
        using var folder = new WorkingFolder();
        using var model = TestModels.Mlp(seed: 0);
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.9, Epochs = 1 });
        pruner.BeginEpoch(0);
        pruner.BeginEpoch(0.5);

        // README
        pruner.Commit();
        model.save("pruned.dat");                   // an ordinary file of an ordinary model; the zeros are in it

        using var deployed = new MyModel();
        deployed.load("pruned.dat");                // needs no Pdp
        // README

        Assert.Equal(TestModels.Bytes(model), TestModels.Bytes(deployed));
    }

    [Fact]
    public void Resumption_OfTheReadme_GoesOnWhereTheRunStopped()
    {
        using var folder = new WorkingFolder();
        using var model = TestModels.Mlp(seed: 0);
        var options = new PdpOptions { Sparsity = 0.9, Epochs = 8 };
        (double? Epoch, double Sparsity, string Removed) stopped;
        using (var pruner = new PdpPruner(model, options))
        {
            TestModels.Train(model, pruner, 0.5, seed: 1);
            TestModels.Train(model, pruner, 1.5, seed: 1);
            stopped = ProgressOf(pruner);

            // README
            model.save("model.dat");                                        // outside of a mask scope
            File.WriteAllText("pruner.json", pruner.GetState().ToJson());   // at the same moment, as the optimizer's state
            // README
        }

        // README
        model.load("model.dat");
        using var resumed = new PdpPruner(model, options);
        resumed.Restore(PrunerState.FromJson(File.ReadAllText("pruner.json")));
        // README

        Assert.True(stopped.Sparsity > 0);
        Assert.Equal(stopped, ProgressOf(resumed));
    }

    [Fact]
    public void Commit_OfTheReadme_WithoutTrainingLeavesTheKeptWeightsAsTheyAre()
    {
        using var model = TestModels.Mlp();
        var before = model.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter.data<float>().ToArray());

        // README
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.5, Epochs = 1, Schedule = new ConstantSparsity() });
        pruner.BeginEpoch(epoch: 0, step: 0, steps: 1);
        pruner.Commit();                                        // the smallest half is zero
        // README

        var report = pruner.Report();
        Assert.Equal(0.5, report.Sparsity, 1e-3);
        Assert.Empty(report.Warnings);
        Assert.All(model.named_parameters(), entry => Assert.All(
            entry.parameter.data<float>().ToArray().Zip(before[entry.name]),
            pair => Assert.True(pair.First == 0 || pair.First == pair.Second)));
    }

    [Fact]
    public void Channels_OfTheReadme_GiveASmallerModelAndItsRecord()
    {
        using var folder = new WorkingFolder();
        using var model = Zoo.Get(nameof(PlainCnn)).Make();
        using var example = Zoo.Get(nameof(PlainCnn)).Batch(size: 1);
        var dense = (double)MacCount.Of(model, example).Total;
        const int epochs = 1;

        // README
        var map = ChannelMap.Find(model, example);          // which channels belong together, found by running the model
        using var pruner = new PdpPruner(model, new PdpOptions
        {
            Epochs = epochs,
            Strategy = new PerChannel(),
            Channels = map,
            Allocation = new MacBudget(0.5, map, MacCount.Of(model, example)),
        });

        // … the same loop …
        pruner.BeginEpoch(0);   // not in the README
        pruner.BeginEpoch(0.5); // not in the README

        pruner.Commit();
        var shrink = pruner.Shrink(example);                // the same class, with fewer channels and the same output
        File.WriteAllText("shrink.json", shrink.Record.ToJson());
        // README

        Assert.InRange(MacCount.Of(model, example).Total / dense, 0.4, 0.6);
    }

    private static (double? Epoch, double Sparsity, string Removed) ProgressOf(PdpPruner pruner) =>
        (pruner.Epoch, pruner.Sparsity, string.Join(' ', pruner.Masks.Select(mask => mask.Removed)));

    /// <summary>A model of the user's.</summary>
    private sealed class MyModel : Module<Tensor, Tensor>
    {
        private readonly Linear first = Linear(16, 32);
        private readonly Linear second = Linear(32, 32);
        private readonly Linear last = Linear(32, 4);

        public MyModel()
            : base(nameof(MyModel)) => RegisterComponents();

        public override Tensor forward(Tensor input) => last.call(second.call(first.call(input)));
    }
}
