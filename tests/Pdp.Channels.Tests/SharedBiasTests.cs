using Pdp.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Channels;

/// <summary>Two layers with one bias, whose channels are added.</summary>
public sealed class SharedBiasTests
{
    private static readonly Scalar One = 1.0;

    [Fact]
    public void Find_OfLayersThatShareABias_TiesThemAndListsItOnce()
    {
        using var model = new SharedBias();
        using var example = rand(2, 6);

        var map = ChannelMap.Find(model, example);

        Assert.Equal(["a.weight", "b.weight"], Filters.Of(map));
        Assert.Single(Assert.Single(map.Groups).Of(ChannelRole.Bias));
    }

    [Theory]
    [InlineData(ScalarType.Float32, false)]
    [InlineData(ScalarType.Float32, true)]
    [InlineData(ScalarType.Float64, false)]
    [InlineData(ScalarType.Float64, true)]
    public void Mask_OfLayersThatShareABias_MasksItOnceAndGivesItBack(ScalarType type, bool isListedTwice)
    {
        using var model = new SharedBias(type);
        using var example = rand(2, 6, dtype: type);
        var map = ChannelMap.Find(model, example);
        map = isListedTwice ? Twice(map) : map;
        using var pruner = new PdpPruner(model, ZooCut.Options(map) with { Temperature = Temperature.Relative(1) });
        pruner.BeginEpoch(0);
        using var before = model.Bias.detach().clone();

        for (var step = 0; step < 2; step++)
        {
            using (pruner.Mask())
            {
                using var scope = NewDisposeScope();
                var mask = model.Bias.div(before);
                Assert.All(Values(mask), value => Assert.InRange(value, 0.01, 0.99));
                model.Bias.sum().backward();
            }

            Assert.Equal(before.Bits(), model.Bias.Bits());
        }

        using var gradient = model.Bias.grad!;
        Assert.All(Values(gradient), value => Assert.InRange(value, 0.02, 10));
    }

    [Fact]
    public void Find_OfNormsThatShareAShift_FindsTheirChannels()
    {
        var (enter, n1, deep, n2, fc) = (Conv2d(3, 8, 1), BatchNorm2d(8), Conv2d(8, 8, 3, padding: 1), BatchNorm2d(8), Linear(8, 4));
        n2.bias = n1.bias;
        using var model = new Net(new { enter, n1, deep, n2, fc }, x =>
        {
            x = n1.call(enter.call(x)).relu();
            return fc.call(x.add(n2.call(deep.call(x)).relu(), One).flatten(2).sum(2));
        });
        using var example = rand(2, 3, 6, 6);

        var group = Assert.Single(ChannelMap.Find(model, example).Groups);

        Assert.Equal(["n1.bias"], group.Slices.Where(slice => slice.IsShift && slice.Role == ChannelRole.Norm).Select(slice => slice.Name));
    }

    private static ChannelMap Twice(ChannelMap map)
    {
        var group = Assert.Single(map.Groups);
        return map.Without(group.Name).With(group with { Slices = [.. group.Slices, .. group.Of(ChannelRole.Bias)] });
    }

    private static double[] Values(Tensor tensor)
    {
        using var wide = tensor.detach().to_type(ScalarType.Float64);
        return wide.data<double>().ToArray();
    }

    private sealed class SharedBias : Module<Tensor, Tensor>
    {
        private readonly Linear a;
        private readonly Linear b;
        private readonly Linear head;

        public SharedBias(ScalarType type = ScalarType.Float32)
            : base(nameof(SharedBias))
        {
            (a, b, head) = (Linear(6, 8, dtype: type), Linear(6, 8, dtype: type), Linear(8, 3, dtype: type));
            b.bias = a.bias;
            RegisterComponents();
        }

        public Parameter Bias => a.bias!;

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            return head.call(functional.relu(a.call(input)).add(functional.relu(b.call(input)), One)).MoveToOuterDisposeScope();
        }
    }
}
