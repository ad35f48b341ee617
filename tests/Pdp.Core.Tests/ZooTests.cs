using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests;

/// <summary>Checks that the networks of the zoo are fit to test with.</summary>
public sealed class ZooTests
{
    public static TheoryData<string> Names => Zoo.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void Forward_WhenTraining_GivesFiniteOutputsAndGradients(string name)
    {
        using var model = Zoo.Get(name).Make();
        using var scope = NewDisposeScope();
        model.train();

        var output = model.call(Zoo.Get(name).Batch());
        output.mul(output).mean().backward();

        Assert.True(IsAlive(output));
        Assert.All(model.parameters(), parameter => Assert.True(parameter.grad is { } gradient && IsAlive(gradient)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Make_WhenSeedIsTheSame_GivesTheSameNetwork(string name)
    {
        Assert.Equal(Output(name, seed: 3), Output(name, seed: 3));
        Assert.NotEqual(Output(name, seed: 3), Output(name, seed: 4));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Make_WhenInFloat64_ComputesInFloat64(string name)
    {
        using var model = Zoo.Get(name).Make(type: ScalarType.Float64);
        using var scope = NewDisposeScope();

        var output = model.call(Zoo.Get(name).Batch(type: ScalarType.Float64));

        Assert.Equal(ScalarType.Float64, output.dtype);
        Close.Equal(output.Values(), Output(name, seed: 0).Select(value => (double)value).ToArray(), Close.Float32, Close.Float32);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Forward_WhenCalled_LeavesOnlyItsResult(string name)
    {
        using var model = Zoo.Get(name).Make();
        using var input = Zoo.Get(name).Batch();

        Leaks.None(() => model.call(input).Dispose());
    }

    [Theory]
    [InlineData("ResNet18")]
    [InlineData("ResNet50")]
    [InlineData("MobileNetV1")]
    [InlineData("MobileNetV2")]
    public void Forward_WhenNetworkIsLarge_GivesFiniteOutputs(string name)
    {
        using var model = Zoo.Get(name).Make();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();

        Assert.True(IsAlive(model.call(Zoo.Get(name).Batch(size: 2))));
    }

    // Two channels of the same bias, scale or statistics would hide that one was taken for the other.
    [Theory]
    [MemberData(nameof(Names))]
    public void Make_WhenNumbersAreDrawn_LeavesNoTwoChannelsAlike(string name)
    {
        using var model = Zoo.Get(name).Make();

        Assert.All(model.state_dict().Values.Where(tensor => tensor.dim() == 1), tensor => Assert.Distinct(tensor.Values()));
    }

    [Fact]
    public void Mixed_WhenNamed_AreWeightsOfTheNetwork() => Assert.All(Zoo.Unsupported.Concat(Zoo.Either), model =>
    {
        using var made = model.Make();

        Assert.NotEmpty(model.Mixed);
        Assert.Subset(made.named_parameters().Select(item => item.name).ToHashSet(), model.Mixed.ToHashSet());
    });

    private static float[] Output(string name, int seed)
    {
        using var model = Zoo.Get(name).Make(seed);
        using var scope = NewDisposeScope();
        return model.call(Zoo.Get(name).Batch()).data<float>().ToArray();
    }

    // Neither NaN nor infinite, and not all zero.
    private static bool IsAlive(Tensor values) =>
        values.isfinite().count_nonzero().ReadCpuInt64(0) == values.numel() && values.count_nonzero().ReadCpuInt64(0) > 0;
}
