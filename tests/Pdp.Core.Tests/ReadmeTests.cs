using Pdp.Allocation;
using Pdp.Channels;
using Pdp.Masks;
using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

public sealed class ReadmeTests
{
    [Fact]
    public void Loop_OfTheReadme_PrunesToItsNinetyPercent()
    {
        using var model = TestModels.Mlp();
        using var optimizer = optim.SGD(model.parameters().ToArray(), 0.01);
        using var loss = CrossEntropyLoss();
        using var data = NewDisposeScope();
        var loader = new[] { TestModels.Batch(1), TestModels.Batch(2) };
        const int epochs = 8;

        // README
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.9, Epochs = epochs });

        for (var epoch = 0; epoch < epochs; epoch++)
        {
            pruner.BeginEpoch(epoch);                       // the only clock
            foreach (var (x, y) in loader)
            {
                using var batch = torch.NewDisposeScope();
                optimizer.zero_grad();
                using (pruner.Mask())                       // the weights are m·w in here …
                    loss.call(model.call(x), y).backward();
                optimizer.step();                           // … and dense again, with the gradient through m
            }
        }

        Console.WriteLine(pruner.Commit());                 // exact zeros, counted
        // README

        Assert.Equal(1498, pruner.Report().Removed);
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

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
