using Pdp.Baselines.Tests.Support;
using Pdp.Tests;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Baselines.Tests;

/// <summary>What holds for every method on channels that belong together, through the core's scope, commit and shrinking.</summary>
public sealed class EveryChannelMethodTests
{
    public static TheoryData<string> Names => ["NISP", "SCP", "DCP", "DCP-score", "GMP", "MVP"];

    public static TheoryData<string> Ranking => ["NISP", "SCP", "DCP", "DCP-score"];

    public static TheoryData<string> OtherThanGmp => ["NISP", "SCP", "DCP", "DCP-score", "MVP"];

    [Theory]
    [MemberData(nameof(Names))]
    public void AtSparsityZero_AStepIsTheDenseOne(string name)
    {
        using var scene = Scene(name, options => options with { Sparsity = 0, Schedule = new ConstantSparsity() });
        using var dense = new ChannelScene(scene => scene.Make(name));

        scene.Train(0);
        using (var scope = NewDisposeScope())
            dense.Loss(0).backward();
        TestModels.Step(dense.Model, 0.05);

        Assert.Equal(TestModels.Bytes(dense.Model), TestModels.Bytes(scene.Model));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Shrink_GivesTheOutputOfTheMaskedModel(string name)
    {
        using var scene = Scene(name).Trained();
        var masked = scene.MaskedOutput();

        scene.Pruner.Commit();
        var committed = scene.Output();
        var report = scene.Pruner.Shrink(scene.Example);

        Assert.Equal(masked, committed);
        Close.Equal(masked, scene.Output(), 0, 1e-5 * masked.Max(Math.Abs));
        Assert.Equal([4, 6], report.Record.Groups.Select(group => group.Kept.Count));
        Assert.True(masked.Distinct().Count() > 4);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Commit_LeavesNoNegativeZero(string name)
    {
        using var scene = Scene(name).Trained();

        scene.Pruner.Commit();

        Assert.All(scene.Model.parameters(), parameter => Assert.DoesNotContain(
            parameter.Values(), value => value == 0 && double.IsNegative(value)));
    }

    [Theory]
    [MemberData(nameof(OtherThanGmp))]
    public void MacBudget_IsMetWithTheSameCountsAsByGmp(string name)
    {
        using var scene = new ChannelScene(scene => scene.Make(name), (scene, options) =>
            options with { Sparsity = null, Allocation = Budget(scene), Schedule = new OneShot { Epoch = 1 } });
        using var gmp = new ChannelScene(scene => new Gmp(), (scene, options) =>
            options with { Sparsity = null, Allocation = Budget(scene), Schedule = new OneShot { Epoch = 1 } });
        foreach (var one in new[] { scene, gmp })
        {
            one.Pruner.BeginEpoch(0);
            using (no_grad())
                one.MaskedOutput();
            one.Pruner.BeginEpoch(1);
        }

        Assert.Equal(Counts(gmp), Counts(scene));
        Assert.All(Counts(scene), count => Assert.True(count > 0));
        var dense = MacCount.Of(scene.Model, scene.Example).Total;
        scene.Train(1);
        scene.Pruner.Commit();
        scene.Pruner.Shrink(scene.Example);
        // To half of the largest channel, an eighth of the network: one of conv1 and conv3, which conv2 and the classifier read.
        var removed = 1 - (MacCount.Of(scene.Model, scene.Example).Total / (double)dense);
        Assert.InRange(removed, 0.4 - 0.0625, 0.4 + 0.0625);

        static MacBudget Budget(ChannelScene scene) => new(0.4, scene.Map, MacCount.Of(scene.Model, scene.Example));
        static int[] Counts(ChannelScene scene) => [.. scene.Removed().Values.Select(removed => removed.Count(isRemoved => isRemoved))];
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Scope_LeavesTheWeightsAsTheyWere(string name)
    {
        using var scene = Scene(name).Trained();
        var before = TestModels.Bytes(scene.Model);

        using (var scope = NewDisposeScope())
        using (scene.Pruner.Mask())
            scene.Loss(1).backward();
        scene.Pruner.BeginEpoch(9.75);

        Assert.Equal(before, TestModels.Bytes(scene.Model));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Steps_LeaveNoTensorBehind(string name)
    {
        using var scene = Scene(name).Trained();
        var epoch = 9.5;

        Leaks.None(() => scene.Train(epoch += 0.01));
    }

    [Theory]
    [MemberData(nameof(Ranking))]
    public void OtherStrategies_AreRefusedWithWhatItCanDo(string name)
    {
        var all = Assert.Throws<ArgumentException>(() => Scene(name, options => options with { Strategy = new Unstructured() }));
        var one = Assert.Throws<ArgumentException>(
            () => Scene(name, options => options with { Rules = [new LayerRule("conv2.weight") { Strategy = NofM.Keep(2, of: 4) }] }));

        Assert.Contains("is not defined for the strategy unstructured; it supports channel.", all.Message, StringComparison.Ordinal);
        Assert.Contains("is not defined for the strategy 2:4; it supports channel.", one.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Ranking))]
    public void Map_IsTheMethodsOwnUnlessTheOptionsBringTheSame(string name)
    {
        using var without = Scene(name, options => options with { Channels = null });
        using var part = new ChannelScene(
            scene => scene.Make(name), (scene, options) => options with { Channels = scene.Map.Without("conv2.weight") });

        Assert.Equal(["conv1.weight", "conv2.weight"], without.Pruner.Masks.Select(mask => mask.Name));
        Assert.Equal(["conv1.weight"], part.Pruner.Masks.Select(mask => mask.Name));
        using var again = new ChannelScene(
            scene => scene.Make(name), (scene, options) => options with { Channels = ChannelMap.Find(scene.Model, scene.Example) });
        Assert.Equal(["conv1.weight", "conv2.weight"], again.Pruner.Masks.Select(mask => mask.Name));
        var error = Assert.Throws<ArgumentException>(() => new ChannelScene(
            scene => scene.Make(name), (scene, options) => options with { Channels = WithoutAReader(scene.Map) }));
        Assert.Contains("a channel map other than", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Ranking))]
    public void Layers_OfAnotherModel_AreRefused(string name)
    {
        using var scene = Scene(name);
        var mask = new PdpMask("other.weight", new WeightLayout([8, 3]), new PerChannel(), Temperature.Absolute(1));

        Assert.Contains(
            "'other.weight' is not a group",
            Assert.Throws<ArgumentException>(() => scene.Make(name).Attach([new MethodLayer(mask, null)])).Message,
            StringComparison.Ordinal);
    }

    private static ChannelMap WithoutAReader(ChannelMap map)
    {
        var group = map.Groups[0];
        return map.Without(group.Name).With(group with { Slices = [.. group.Slices.SkipLast(1)] });
    }

    private static ChannelScene Scene(string name, Func<PdpOptions, PdpOptions>? change = null) =>
        new(scene => scene.Make(name), (_, options) => change?.Invoke(options) ?? options);
}
