using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Channels;

public sealed class ChannelMapTests
{
    /// <summary>The weights of each network that make no group: what leaves the model, and the stream of a shortcut that pads.</summary>
    public static TheoryData<string, string[]> Whole => new()
    {
        { nameof(PlainCnn), ["linear2.weight"] },
        { nameof(VggLike), ["classifier.3.weight"] },
        { nameof(PaddedResNet), [
            "conv1.weight", "layer1.0.conv2.weight", "layer1.1.conv2.weight", "layer2.0.conv2.weight", "layer2.1.conv2.weight",
            "linear.weight",
        ] },
        { nameof(ProjectedResNet), ["fc.weight"] },
        { nameof(BottleneckNet), ["fc.weight"] },
        { nameof(SeparableNet), ["fc.weight"] },
        { nameof(InvertedNet), ["classifier.1.weight"] },
        { nameof(DenseBlockNet), ["fc.weight"] },
        { nameof(Mlp), ["linear3.weight"] },
        { nameof(UNet), ["head.weight"] },
        { nameof(GroupedNet), ["fc.weight"] },
        { nameof(SqueezeExcitationNet), ["fc.weight"] },
        { nameof(AutoEncoder), ["decode1.weight"] },
        { nameof(SequenceNet), ["fc.weight"] },
        { nameof(VolumeNet), ["fc.weight"] },
        { nameof(PReLUNet), ["fc.weight"] },
    };

    [Theory]
    [MemberData(nameof(Whole))]
    public void Find_OfANetwork_GroupsAllLayersButThoseThatMustStayWhole(string name, string[] whole)
    {
        var map = ZooMaps.Of(name);

        Assert.Equal(whole.Order(StringComparer.Ordinal), map.Unsupported.Keys);
    }

    [Theory]
    [MemberData(nameof(Zoo.Names), MemberType = typeof(Zoo))]
    public void Find_LeavesTheModelAsItWas(string name)
    {
        var zoo = Zoo.Get(name);
        using var model = zoo.Make();
        using var example = zoo.Batch(size: 2);
        model.train();
        model.parameters().First().requires_grad = false;
        using (var scope = NewDisposeScope())
            model.call(example).sum().backward();
        var before = Snapshot(model);

        ChannelMap.Find(model, example);

        Assert.Equal(before, Snapshot(model));
        Assert.All(model.modules(), module => Assert.True(module.training));
        Assert.False(model.parameters().First().requires_grad);
    }

    [Theory]
    [InlineData(nameof(PlainCnn))]
    [InlineData(nameof(LayerNormNet))]
    public void Find_LeavesNoTensors(string name)
    {
        var zoo = Zoo.Get(name);
        using var model = zoo.Make();
        using var example = zoo.Batch(size: 1);

        Leaks.None(() => ChannelMap.Find(model, example));
    }

    [Fact]
    public void Find_OfAResidualNetwork_TiesWhatIsAddedUp()
    {
        var map = ZooMaps.Of(nameof(ProjectedResNet));

        Assert.Contains(map.Groups, group => FiltersOf(group).SequenceEqual(["conv1.weight", "layer1.0.conv2.weight"]));
        Assert.Contains(map.Groups, group => FiltersOf(group).SequenceEqual(
            ["layer2.0.conv2.weight", "layer2.0.downsample.0.weight", "layer2.1.conv2.weight"]));
    }

    [Fact]
    public void Find_OfConcatenatedChannels_KnowsWhereEachBegins()
    {
        var map = ZooMaps.Of(nameof(UNet));

        var encoder = map.Groups.Single(group => group.Name == "down2.weight");
        Assert.Contains(new ChannelSlice("merge2.weight", 1, 10, 1, ChannelRole.Input), encoder.Slices);
    }

    [Fact]
    public void Find_BehindAFlatten_GivesEachChannelItsBlock()
    {
        var map = ZooMaps.Of(nameof(PlainCnn));

        var last = map.Groups.Single(group => group.Name == "conv2.weight");
        Assert.Contains(new ChannelSlice("linear1.weight", 1, 0, 16, ChannelRole.Input), last.Slices);
    }

    [Fact]
    public void Find_OfAGroupedConvolution_RemovesWholeGroups()
    {
        var map = ZooMaps.Of(nameof(GroupedNet));

        var grouped = map.Groups.Single(group => group.Name == "narrow.weight");
        Assert.Equal(4, grouped.Channels);
        Assert.Contains(new ChannelSlice("grouped.weight", 0, 0, 6, ChannelRole.Filter), grouped.Slices);
        Assert.Contains(new ChannelSlice("groupedNorm.running_var", 0, 0, 6, ChannelRole.Follower), grouped.Slices);
    }

    [Fact]
    public void Find_OfASqueezeAndExcitation_TakesTheGatesAlong()
    {
        var map = ZooMaps.Of(nameof(SqueezeExcitationNet));

        var gated = map.Groups.Single(group => group.Name == "conv1.weight");
        Assert.Contains(new ChannelSlice("excite.weight", 0, 0, 1, ChannelRole.Follower), gated.Slices);
        Assert.Contains(new ChannelSlice("excite.bias", 0, 0, 1, ChannelRole.Follower), gated.Slices);
    }

    [Fact]
    public void Find_MasksBiasesAndNorms_NotStatistics()
    {
        var map = ZooMaps.Of(nameof(VggLike));

        var roles = map.Groups[0].Slices.ToDictionary(slice => slice.Name, slice => slice.Role);
        Assert.Equal(ChannelRole.Filter, roles["features.0.weight"]);
        Assert.Equal(ChannelRole.Bias, roles["features.0.bias"]);
        Assert.Equal(ChannelRole.Norm, roles["features.1.weight"]);
        Assert.Equal(ChannelRole.Norm, roles["features.1.bias"]);
        Assert.Equal(ChannelRole.Follower, roles["features.1.running_mean"]);
        Assert.Equal(ChannelRole.Input, roles["features.3.weight"]);
    }

    [Theory]
    [MemberData(nameof(RefusedNames))]
    public void Find_OfChannelsThatAreMixed_RefusesThemByName(string name)
    {
        var map = ZooMaps.Of(name);

        Assert.All(Zoo.Get(name).Mixed, weight => Assert.Contains(weight, map.Unsupported.Keys));
        Assert.DoesNotContain(map.Groups, group => FiltersOf(group).Intersect(Zoo.Get(name).Mixed).Any());
    }

    public static TheoryData<string> RefusedNames => [.. Zoo.Unsupported.Select(zoo => zoo.Name)];

    [Fact]
    public void Without_LeavesAGroupOut()
    {
        var map = ZooMaps.Of(nameof(ProjectedResNet));

        var without = map.Without("layer1.0.conv2.weight");

        Assert.Equal(map.Groups.Count - 1, without.Groups.Count);
        Assert.Equal("excluded by Without", without.Unsupported["conv1.weight"]);
        Assert.Contains("'conv9.weight' is in no group", Assert.Throws<ArgumentException>(() => map.Without("conv9.weight")).Message);
    }

    [Fact]
    public void With_PutsADeclaredGroupInThePlaceOfWhatWasFound()
    {
        var map = ZooMaps.Of(nameof(PlainCnn));
        var declared =
            map.Groups[0] with { Channels = 4, Slices = [.. map.Groups[0].Slices.Select(slice => slice with { Block = 2 * slice.Block })] };

        var with = map.With(declared);

        Assert.Equal(map.Groups.Count, with.Groups.Count);
        Assert.Contains(declared, with.Groups);
        Assert.Throws<ArgumentException>(() => map.With(declared with { Slices = [] }));
        Assert.Throws<ArgumentException>(() => map.With(declared with { Channels = 1 }));
    }

    [Fact]
    public void With_OfAGroupThatWouldNeverBeMasked_SaysWhy()
    {
        var map = ZooMaps.Of(nameof(PlainCnn));
        var (first, second) = (map.Groups[0], map.Groups[1]);

        Assert.Contains(
            $"named after '{first.Name}', which is none of its filters ({second.Name})",
            Assert.Throws<ArgumentException>(() => map.With(first with { Slices = second.Slices })).Message, StringComparison.Ordinal);
        var bare = first with { IsNormalized = true, Slices = [.. first.Slices.Where(slice => slice.Role != ChannelRole.Norm)] };
        Assert.Contains("it has no norms", Assert.Throws<ArgumentException>(() => map.With(bare)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_OfAModelWithoutLayers_Throws()
    {
        using var model = Sequential(("relu", ReLU()));
        using var example = ones(1, 3);

        var fault = Assert.Throws<ArgumentException>(() => ChannelMap.Find(model, example));

        Assert.Contains("no convolution or linear layer", fault.Message);
    }

    private static IEnumerable<string> FiltersOf(ChannelGroup group) => group.Of(ChannelRole.Filter).Select(slice => slice.Name);

    /// <summary>All numbers of a model with their shapes, and its gradients.</summary>
    private static IReadOnlyList<string> Snapshot(Module model)
    {
        using var scope = NewDisposeScope();
        var tensors = model.state_dict().Select(pair => (pair.Key, pair.Value))
            .Concat(model.named_parameters().Where(pair => pair.parameter.grad is not null).Select(
                pair => ($"∂{pair.name}", pair.parameter.grad!)));
        return [.. tensors.Select(pair => $"{pair.Item1} {string.Join('×', pair.Item2.shape)} {string.Join(' ', pair.Item2.Values())}")];
    }
}
