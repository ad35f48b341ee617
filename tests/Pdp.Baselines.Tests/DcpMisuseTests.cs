using Pdp.Baselines.Tests.Support;
using Pdp.Tests;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Baselines.Tests;

/// <summary>What can't be right is refused, and leaves the model as it was.</summary>
public sealed class DcpMisuseTests
{
    [Fact]
    public void Modules_ThatTheModelDoesntHave_AreRefused()
    {
        using var scene = new ChannelScene(scene => new Gmp());

        var error = Assert.Throws<ArgumentException>(() => new Dcp(scene.Model, scene.Map, scene.Forward, new() { Losses = ["bn4"] }));

        Assert.Contains("no module 'bn4'; it has conv1, bn1, conv2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Ramps_AreRefused()
    {
        var error = Assert.Throws<ArgumentException>(() => Scene(schedule: new LinearRamp(0, 4)));

        Assert.Contains("chooses all channels at once", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Batches_ThatDiffer_AreRefused()
    {
        var calls = 0;

        Fails("the function must give the same batch", scene => scene.Forward(calls++));
    }

    [Fact]
    public void Layers_ThatRunByForward_AreRefused() =>
        Fails("'conv2' was not called", scene => (
            scene.Model.fc.call(scene.Model.conv1.forward(scene.Example).mean([2, 3])), TestModels.Batch(0, 4).Labels));

    [Fact]
    public void Modules_WithALoss_AreCalledOnce() => Fails("'bn1' is called several times", scene =>
    {
        scene.Forward(0);
        return scene.Forward(0);
    }, losses: ["bn1"]);

    [Fact]
    public void Weights_WithoutAGradient_AreRefused()
    {
        using var scene = Scene();
        scene.Model.conv3.weight.requires_grad_(false);

        var error = Assert.Throws<InvalidOperationException>(() => scene.Pruner.BeginEpoch(1.25));

        Assert.Contains("no gradient arrived at 'conv3.weight'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Losses_ThatAreNotFinite_AreRefused()
    {
        using var scene = Scene();
        Tensors.Fill(scene.Model.fc.weight!, [.. Enumerable.Repeat(double.NaN, 32)]);

        Assert.Contains(
            "not finite", Assert.Throws<InvalidOperationException>(() => scene.Pruner.BeginEpoch(1.25)).Message, StringComparison.Ordinal);
    }

    private static void Fails(string message, Func<ChannelScene, (Tensor Outputs, Tensor Labels)> forward, string[]? losses = null)
    {
        using var scene = new ChannelScene(
            scene => new Dcp(scene.Model, scene.Map, _ => forward(scene), new() { FineTuneSteps = 1, Losses = losses ?? [] }));
        var before = ChannelScene.Snapshot(scene.Model);

        var error = Assert.Throws<InvalidOperationException>(() => scene.Pruner.BeginEpoch(1.25));

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal(before, ChannelScene.Snapshot(scene.Model));
    }

    private static ChannelScene Scene(ISparsityScheduler? schedule = null) => new(
        scene => new Dcp(scene.Model, scene.Map, scene.Forward, new() { FineTuneSteps = 1 }),
        (_, options) => options with { Schedule = schedule });
}
