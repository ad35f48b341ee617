using Pdp.Allocation;
using Pdp.Channels;
using Pdp.Samples;
using Pdp.Samples.Quickstart;
using Pdp.Strategies;
using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

public sealed class ReadmeTests
{
    /// <summary>The quickstart's network and pictures, in 5 of its 11 epochs; with the seeds 0 to 2 it keeps 97.3 to 98.4 %.</summary>
    [Fact]
    public void Loop_OfTheReadme_PrunesToItsNinetyPercentAsAccuratelyAsTheQuickstart()
    {
        using var data = NewDisposeScope();
        manual_seed(0);
        using var training = new DrawnImages(12_000, 0);
        using var test = new DrawnImages(4_000, 1);
        using var model = new ConvNet();
        using var loss = CrossEntropyLoss();
        var loader = training.Pictures.split(64).Zip(training.Labels.split(64)).ToList();
        const int epochs = 3;
        using var optimizer = new FallingSgd(model, steps: 2 * loader.Count);
        for (var step = 0; step < 2 * loader.Count; step++)
            optimizer.Train(model, loss, loader[step % loader.Count]);
        optimizer.Restart(steps: epochs * loader.Count);

        // README
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.9, Epochs = epochs });

        for (var epoch = 0; epoch < epochs; epoch++)
        {
            var step = 0;
            foreach (var (x, y) in loader)
            {
                using var batch = torch.NewDisposeScope();
                pruner.BeginEpoch(epoch, step++, loader.Count); // the clock: the sparsity rises a little in each step
                optimizer.zero_grad();
                using (pruner.Mask())                           // the weights are m·w in here …
                    loss.call(model.call(x), y).backward();
                optimizer.step();                               // … and dense again, with the gradient through m
            }
        }

        Console.WriteLine(pruner.Commit());                     // exact zeros, counted
        // README

        var report = pruner.Report();
        Assert.Equal(88_373, report.Removed);
        Assert.DoesNotContain(report.Warnings, warning => warning.Contains("clock", StringComparison.Ordinal));
        Assert.InRange(Accuracy(model, test), 0.973, 1);
    }

    [Fact]
    public void Loop_OfTheReadme_IsTheOneThatIsCompiledHere()
    {
        var readme = File.ReadAllText(Path.Combine(Repository.Root!, "README.md"));
        var source = File.ReadAllText(Path.Combine(Repository.Root!, "tests", "Pdp.Core.Tests", "ReadmeTests.cs"));

        var written = readme.Split("```csharp")[1].Split("```")[0];
        var compiled = source.Split("// README\n")[1];

        Assert.Equal(Lines(written), Lines(compiled));
    }

    [Fact]
    public void Channels_OfTheReadme_GiveASmallerModelAndItsRecord()
    {
        using var model = Zoo.Get(nameof(PlainCnn)).Make();
        using var example = Zoo.Get(nameof(PlainCnn)).Batch(size: 1);
        var dense = (double)MacCount.Of(model, example).Total;
        const int epochs = 1;

        // CHANNELS
        var map = ChannelMap.Find(model, example);          // which channels belong together, found by running the model
        using var pruner = new PdpPruner(model, new PdpOptions
        {
            Epochs = epochs,
            Strategy = new Channel(),
            Channels = map,
            Allocation = new MacBudget(0.5, map, MacCount.Of(model, example)),
        });

        // … the same loop …
        pruner.BeginEpoch(0);
        pruner.BeginEpoch(0.5);

        pruner.Commit();
        var shrink = pruner.Shrink(example);                // the same class, with fewer channels and the same output
        File.WriteAllText("shrink.json", shrink.Record.ToJson());
        // CHANNELS

        Assert.InRange(MacCount.Of(model, example).Total / dense, 0.4, 0.6);
    }

    [Fact]
    public void Channels_OfTheReadme_AreWhatIsCompiledHere()
    {
        var readme = File.ReadAllText(Path.Combine(Repository.Root!, "README.md"));
        var source = File.ReadAllText(Path.Combine(Repository.Root!, "tests", "Pdp.Core.Tests", "ReadmeTests.cs"));

        var written = readme.Split("```csharp")[2].Split("```")[0];
        var compiled = source.Split("// CHANNELS\n")[1];

        Assert.Equal(Lines(written), Lines(compiled).Where(line => !line.StartsWith("pruner.BeginEpoch", StringComparison.Ordinal)));
    }

    private static double Accuracy(ConvNet model, DrawnImages test)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        model.eval();
        return model.call(test.Pictures).argmax(1).eq(test.Labels).sum().ReadCpuInt64(0) / (double)test.Count;
    }

    /// <summary>The samples' optimizer under the names of TorchSharp's, with a learning rate that falls as a cosine.</summary>
    private sealed class FallingSgd(ConvNet model, int steps) : IDisposable
    {
        private const double LearningRate = 0.1;

        private readonly Sgd _sgd = new(model.named_parameters(), LearningRate, momentum: 0.9, weightDecay: 5e-4);
        private int _steps = steps;
        private int _step;

        public void zero_grad() => _sgd.ZeroGradients();

        public void step()
        {
            _sgd.LearningRate = LearningRate * 0.5 * (1 + Math.Cos(Math.PI * _step++ / _steps));
            _sgd.Step();
        }

        public void Train(ConvNet model, Module<Tensor, Tensor, Tensor> loss, (Tensor Pictures, Tensor Labels) batch)
        {
            using var scope = NewDisposeScope();
            zero_grad();
            loss.call(model.call(batch.Pictures), batch.Labels).backward();
            step();
        }

        public void Restart(int steps) => (_steps, _step) = (steps, 0);

        public void Dispose() => _sgd.Dispose();
    }

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
