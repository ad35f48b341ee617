using Pdp.Tests.Saving;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests;

public sealed class GetMasksTests
{
    [Theory]
    [MemberData(nameof(ResumableRun.Kinds), MemberType = typeof(ResumableRun))]
    public void GetMasks_AfterCommit_TellZerosFromTheRest(string kind, ScalarType type)
    {
        using var run = new ResumableRun(kind, type).Train(0, 17);
        var report = run.Pruner.Commit();

        using var scope = NewDisposeScope();
        var masks = run.Pruner.GetMasks();

        var weights = run.Model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        foreach (var (name, mask) in masks.Where(mask => weights.ContainsKey(mask.Key)))
        {
            Assert.Equal(ScalarType.Bool, mask.dtype);
            Assert.Equal(weights[name].shape, mask.shape);
            Assert.Equal(0, weights[name].masked_select(mask.logical_not()).count_nonzero().ReadCpuInt64(0));
            Assert.True(mask.any().ReadCpuBool(0));
        }

        string[] names = [.. run.Pruner.Masks.Select(mask => mask.Name)];
        Assert.Subset(masks.Keys.ToHashSet(), names.ToHashSet());
        Assert.Equal(report.Removed, names.Sum(name => masks[name].logical_not().sum().ReadCpuInt64(0)));
        Assert.True(report.Removed > 0);
    }

    [Fact]
    public void GetMasks_WithAChannelMap_AreOfAllThatGoesWithTheChannels()
    {
        using var model = TestModels.Cnn();
        using var example = ones([1, 3, 6, 6]);
        using var pruner = Committed(model, ChannelMap.Find(model, example), sparsity: 0.5);

        using var scope = NewDisposeScope();
        var masks = pruner.GetMasks();

        bool[] kept = [.. masks["conv1.weight"].reshape(8, -1).any(1).data<bool>()];
        Assert.Equal(4, kept.Count(isKept => !isKept));
        Assert.All((string[])["conv1.bias", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"], name => Assert.Equal(
            kept, masks[name].data<bool>().ToArray()));
        Assert.Equal([
            "conv1.bias", "conv1.weight", "conv2.bias", "conv2.weight", "norm.bias", "norm.running_mean", "norm.running_var", "norm.weight",
        ], masks.Keys.Order());
    }

    /// <summary>Two groups side by side in one norm, as after a concatenation.</summary>
    [Fact]
    public void GetMasks_WhereGroupsMeetInOneParameter_KeepOutWhatAnyRemoves()
    {
        using var model = Zoo.Get(nameof(DenseBlockNet)).Make();
        using var example = Zoo.Get(nameof(DenseBlockNet)).Batch(size: 1);
        var map = ChannelMap.Find(model, example);
        using var pruner = Committed(model, map, sparsity: 0.4);

        using var scope = NewDisposeScope();
        var masks = pruner.GetMasks();

        var tensors = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        foreach (var slice in map.Groups.SelectMany(group => group.Slices).Where(
            slice => slice.Role is ChannelRole.Filter or ChannelRole.Bias or ChannelRole.Norm))
            Assert.Equal(0, tensors[slice.Name].masked_select(masks[slice.Name].logical_not()).count_nonzero().ReadCpuInt64(0));
        Assert.Contains(map.Groups.SelectMany(group => group.Slices), slice => slice is { Offset: > 0, Role: ChannelRole.Norm });
    }

    [Fact]
    public void GetMasks_OfARestoredRun_AreThoseOfTheCommit()
    {
        using var run = new ResumableRun("channel with a map", ScalarType.Float32).Train(0, 17);
        run.Pruner.Commit();
        using var resumed = run.Killed("channel with a map");

        using var scope = NewDisposeScope();
        var (masks, restored) = (run.Pruner.GetMasks(), resumed.Pruner.GetMasks());

        Assert.Equal(masks.Keys.Order(), restored.Keys.Order());
        Assert.All(masks, mask => Assert.True(mask.Value.eq(restored[mask.Key]).all().ReadCpuBool(0)));
    }

    [Fact]
    public void GetMasks_BeforeCommit_SaysWhatToCall()
    {
        using var run = new ResumableRun("unstructured", ScalarType.Float32).Train(0, 3);

        Assert.Contains("call Commit() before GetMasks()", Assert.Throws<InvalidOperationException>(run.Pruner.GetMasks).Message);
    }

    [Theory]
    [InlineData("unstructured")]
    [InlineData("channel with a map")]
    public void GetMasks_LeavesNoTensors(string kind)
    {
        using var run = new ResumableRun(kind, ScalarType.Float32).Train(0, 17);
        run.Pruner.Commit();

        Leaks.None(() =>
        {
            foreach (var mask in run.Pruner.GetMasks().Values)
                mask.Dispose();
        });
    }

    private static PdpPruner Committed(nn.Module model, ChannelMap map, double sparsity)
    {
        var pruner = new PdpPruner(model, new PdpOptions
        {
            Epochs = 1,
            Sparsity = sparsity,
            Strategy = new PerChannel(),
            Channels = map,
            Allocation = new UniformSparsity(),
            Schedule = new ConstantSparsity(),
        });
        pruner.BeginEpoch(0);
        pruner.Commit();
        return pruner;
    }
}
