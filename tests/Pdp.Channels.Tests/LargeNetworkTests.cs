using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Channels;

public sealed class LargeNetworkTests
{
    /// <summary>Whether the environment's PDP_ZOO_ALL asks for the networks that take longest.</summary>
    private static readonly bool IsFull = Environment.GetEnvironmentVariable("PDP_ZOO_ALL") == "1";

    /// <summary>The channels of ResNet-50, which take longest to find; a map holds no tensors.</summary>
    private static readonly Lazy<ChannelMap> ResNet50Channels = new(FindInResNet50);

    public static TheoryData<string, int, string> Networks => IsFull
        ? new() { { "ResNet18", 12, "fc.weight" }, { "MobileNetV1", 14, "fc.weight" }, { "MobileNetV2", 25, "classifier.1.weight" } }
        : new() { { "ResNet18", 12, "fc.weight" } };

    public static TheoryData<int> Alignments => IsFull ? [1, 16] : [16];

    [Theory]
    [MemberData(nameof(Networks))]
    public void Shrink_OfAnImageNetNetwork_GivesTheMaskedModelsOutput(string name, int groups, string whole)
    {
        var zoo = Zoo.Get(name);
        using var model = zoo.Make();
        using var example = zoo.Batch(size: 1);
        using var small = ones(1, 3, 32, 32);
        var map = ChannelMap.Find(model, small);
        using var pruner = new PdpPruner(model, Options(map) with { Sparsity = 0.5, Allocation = new UniformSparsity() });
        pruner.BeginEpoch(0);
        pruner.Commit();

        var report = pruner.Shrink(example);

        Assert.Equal(groups, map.Groups.Count);
        Assert.Equal([whole], map.Unsupported.Keys);
        Assert.InRange(report.Difference, 0, 1e-5 * report.Scale);
    }

    [Theory]
    [MemberData(nameof(Alignments))]
    public void Shrink_OfResNet50_ToAMacBudget_MeetsThePapersChannelRow(int alignment)
    {
        var zoo = Zoo.Get("ResNet50");
        using var model = zoo.Make();
        using var picture = ones(1, 3, 224, 224);
        using var small = ones(1, 3, 32, 32);
        var before = Recount(model, picture);
        var map = ResNet50Channels.Value;
        var budget = new MacBudget(0.549, map, MacCount.Of(model, picture));
        using var pruner = new PdpPruner(model, Options(map) with
        {
            Strategy = new PerChannel { RoundTo = alignment },
            Allocation = budget,
            Exclude = ["conv1", "*.conv3", "*.downsample.0", "fc"],
        });
        pruner.BeginEpoch(0);
        pruner.Commit();

        var report = pruner.Shrink(small);

        Assert.Equal(4_089_184_256, before);
        Assert.InRange(1 - (Recount(model, picture) / (double)before), 0.548, 0.550);
        Assert.Equal(32, pruner.Masks.Count);
        Assert.All(report.Record.Groups, group => Assert.Equal(0, group.Kept.Count % alignment));
        Assert.InRange(report.Difference, 0, 1e-5 * report.Scale);
    }

    private static ChannelMap FindInResNet50()
    {
        using var model = Zoo.Get("ResNet50").Make();
        using var small = ones(1, 3, 32, 32);
        return ChannelMap.Find(model, small);
    }

    private static PdpOptions Options(ChannelMap map) => new()
    {
        Epochs = 1,
        Strategy = new PerChannel(),
        Channels = map,
        Schedule = new ConstantSparsity(),
    };

    /// <summary>Multiplications by what comes out of each layer: each output element is a sum over the inputs that it sees.</summary>
    private static long Recount(Module<Tensor, Tensor> model, Tensor input)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var count = 0L;
        var removals = new List<Action>();
        foreach (var module in model.modules())
        {
            if (module is Conv2d convolution)
                removals.Add(convolution.register_forward_hook((_, _, output) => Add(output, convolution.weight.shape[1..])).remove);
            else if (module is Linear linear)
                removals.Add(linear.register_forward_hook((_, _, output) => Add(output, linear.weight.shape[1..])).remove);
        }

        model.call(input);
        foreach (var remove in removals)
            remove();
        return count;

        Tensor Add(Tensor output, long[] seen)
        {
            count += output.numel() * seen.Aggregate(1L, (product, size) => product * size);
            return output;
        }
    }
}
