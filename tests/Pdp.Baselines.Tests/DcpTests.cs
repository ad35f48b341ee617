using System.Collections;
using System.Reflection;
using Pdp.Baselines.Tests.Support;
using Pdp.Tests;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Baselines.Tests;

public sealed class DcpTests
{
    private static readonly DcpOptions Short = new() { Losses = ["bn2"], FineTuneSteps = 2, UpdateSteps = 1 };

    [Fact]
    public void Choice_IsMadeOnceAtAnEighthOfTheRun()
    {
        using var scene = Scene(Short);
        scene.Pruner.BeginEpoch(1);
        Assert.All(scene.Removed().Values, removed => Assert.DoesNotContain(true, removed));
        scene.Pruner.BeginEpoch(1.25);
        var (removed, values) = (scene.Removed(), TestModels.Bytes(scene.Model));

        scene.Pruner.BeginEpoch(5);

        Assert.Equal(removed, scene.Removed());
        Assert.Equal(values, TestModels.Bytes(scene.Model));
        Assert.All(removed.Values, channels => Assert.Equal(channels.Length / 2, channels.Count(isRemoved => isRemoved)));
    }

    [Fact]
    public void Choice_OnTheSameBatches_IsTheSame()
    {
        using var first = Chosen(Short);
        using var second = Chosen(Short);

        Assert.Equal(first.Removed(), second.Removed());
        Assert.Equal(ChannelScene.Snapshot(first.Model), ChannelScene.Snapshot(second.Model));
    }

    [Fact]
    public void Choice_SilencesRemovedChannelsWhereTheyAreRead()
    {
        using var scene = Chosen(Short with { Losses = ["bn3"], FineTuneSteps = 3 });

        var removed = scene.Removed();

        Assert.Equal(removed["bn2.weight"], Silent(scene.Model.conv3.weight));
        Assert.Equal(removed["bn1.weight"], Silent(scene.Model.conv2.weight));
        Assert.Equal(removed["bn1.weight"], Silent(scene.Model.fc.weight!));
    }

    [Fact]
    public void Choice_LeavesNamesModesGradientsAndHooksAsTheyWere()
    {
        using var scene = Scene(Short);
        using (var scope = NewDisposeScope())
            scene.Loss(1).backward();
        scene.Model.bn2.eval();
        var before = Shell(scene);

        scene.Pruner.BeginEpoch(1.25);

        Assert.Equal(before, Shell(scene));
        Assert.Equal(0, Hooks(scene));

        static string[] Shell(ChannelScene scene) =>
            [.. scene.Model.state_dict().Keys, .. ChannelScene.Snapshot(scene.Model).Where(
                line => line.Contains(".grad ", StringComparison.Ordinal)
                    || line.EndsWith("True", StringComparison.Ordinal) || line.EndsWith("False", StringComparison.Ordinal))];
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(7)]
    public void Choice_ThatFails_LeavesTheModelAsItWas_AndCanBeMadeAgain(int failing)
    {
        var calls = 0;
        using var scene = new ChannelScene(scene => new Dcp(
            scene.Model, scene.Map, batch => calls++ == failing ? throw new InvalidTimeZoneException() : scene.Forward(batch), Short));
        scene.Model.bn1.weight.grad = ones(8);
        var before = ChannelScene.Snapshot(scene.Model);

        Assert.Throws<InvalidTimeZoneException>(() => scene.Pruner.BeginEpoch(1.25));

        Assert.Equal(before, ChannelScene.Snapshot(scene.Model));
        Assert.Equal(0, Hooks(scene));
        scene.Pruner.BeginEpoch(1.25);
        using var other = Chosen(Short);
        Assert.Equal(other.Removed(), scene.Removed());
        Assert.Equal(TestModels.Bytes(other.Model), TestModels.Bytes(scene.Model));
    }

    [Fact]
    public void FineTuning_IsInTheModesOfTheModel_AndTheChoiceInThoseOfEvaluation()
    {
        var modes = new List<bool>();
        using var scene = new ChannelScene(scene => new Dcp(scene.Model, scene.Map, batch =>
        {
            modes.Add(scene.Model.training);
            return scene.Forward(batch);
        }, new() { FineTuneSteps = 3 }));

        scene.Pruner.BeginEpoch(1.25);

        // A look at the order of the layers comes first.
        Assert.Equal([1, 2, 3], modes.Index().Where(mode => mode.Item).Select(mode => mode.Index));
        // Ten channels, each with a gradient and four updates, of the pruned and the dense network.
        Assert.Equal(4 + (10 * 5 * 2), modes.Count);
    }

    [Fact]
    public void Choice_LeavesNoTensorBehind()
    {
        using var scene = new ChannelScene(scene => new Gmp());
        var layer = new MethodLayer(
            new PdpMask("conv2.weight", new([12, 8, 3, 3]), new PerChannel(), Temperature.Absolute(1), target: 9), null);
        var method = new Dcp(scene.Model, scene.Map, scene.Forward, Short);
        layer.Remove(9);

        Leaks.None(() =>
        {
            using var scope = NewDisposeScope();
            using var run = method.Attach([layer]);
            using var _ = no_grad();
            run.Begin(0);
        });
    }

    private static ChannelScene Scene(DcpOptions options) => new(scene => new Dcp(scene.Model, scene.Map, scene.Forward, options));

    private static ChannelScene Chosen(DcpOptions options)
    {
        var scene = Scene(options);
        scene.Pruner.BeginEpoch(1.25);
        return scene;
    }

    /// <summary>Whether a layer's weights of an input are all zero.</summary>
    private static bool[] Silent(Tensor weight)
    {
        using var scope = NewDisposeScope();
        return [.. weight.detach()
            .abs().flatten(1).reshape(weight.shape[0], weight.shape[1], -1).sum([0, 2]).Values().Select(sum => sum == 0)];
    }

    /// <summary>The number of forward hooks on the modules of a scene.</summary>
    private static int Hooks(ChannelScene scene) => scene.Model.modules().Sum(module =>
    {
        var type = module.GetType();
        while (type is not null && type.GetField("post_hooks", BindingFlags.Instance | BindingFlags.NonPublic) is null)
            type = type.BaseType;
        return ((ICollection)type!.GetField("post_hooks", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(module)!).Count;
    });
}
