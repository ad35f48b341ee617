using Pdp.Tests.Support;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Tests.Channels.Shrinking;

/// <summary>The page's example of training on after a shrink, with the optimizer's state cut along.</summary>
public sealed class OptimizerSliceTests
{
    [Fact]
    public void StateOfAdamW_SlicedAsOnThePage_FitsTheShrunkModel()
    {
        using var run = new ShrinkRun(nameof(PlainCnn), ScalarType.Float32);
        using var scope = NewDisposeScope();
        var (pruner, model, example) = (run.Pruner, run.Model, run.Example);
        using var optimizer = new FusedAdamW(model.named_parameters(), new AdamOptions());
        using (pruner.Mask())
            model.call(example).sum().backward();
        optimizer.step();
        pruner.Commit();
        var name = model.named_parameters().First().name;
        var kept = optimizer.GetState();

        // README
        var state = optimizer.GetState();                   // NAME.exp_avg, … in the shape of the parameter NAME
        var record = pruner.Shrink(example).Record;
        using var next = new FusedAdamW(model.named_parameters(), new AdamOptions());
        next.SetState(state.ToDictionary(
            pair => pair.Key,
            pair => record.Shapes.ContainsKey(Path.ChangeExtension(pair.Key, null)) && pair.Value.dim() > 0
                ? record.Slice(pair.Value, Path.ChangeExtension(pair.Key, null))
                : pair.Value));
        // README

        using var expected = record.Slice(kept[$"{name}.exp_avg"], name);
        Assert.NotEqual(kept[$"{name}.exp_avg"].shape, expected.shape);
        Assert.Equal(expected.Values(), next.GetState()[$"{name}.exp_avg"].Values());
        model.call(example).sum().backward();
        next.step();
        Assert.Equal(2, next.GetState()[$"{name}.step"].item<long>());
    }
}
