using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Optimizers;

/// <summary>The learning rates of a group, its own and those that an optimizer gives it.</summary>
public sealed class ParameterGroupTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData(null, null, 0.1, 0.1)]
    [InlineData(0.05, null, 0.05, 0.05)]
    [InlineData(null, 0.2, 0.1, 0.2)]
    [InlineData(0.05, 0.2, 0.05, 0.2)]
    public void Rates_InAnOptimizer_AreTheGroupsOwnOrElseTheOptimizers(double? own, double? initial, double rate, double start)
    {
        using var optimizer = Optimizer(Group(own, initial));

        Assert.Equal((rate, start), (optimizer.Groups[0].LearningRate, optimizer.Groups[0].InitialLearningRate));
    }

    [Fact]
    public void InitialLearningRate_OfAnOptimizersGroup_StaysAsTheRateChanges()
    {
        using var optimizer = Optimizer(Group(own: 0.05, initial: null));

        optimizer.LearningRate = 1e-6;

        Assert.Equal(0.05, optimizer.Groups[0].InitialLearningRate);
    }

    [Fact]
    public void InitialLearningRate_WhenSet_IsWhatASchedulesFactorIsOf()
    {
        using var optimizer = Optimizer(Group(own: 0.05, initial: 0.2));

        new LinearSchedule(4).Apply(optimizer, 1);

        Assert.Equal(0.75 * 0.2, optimizer.Groups[0].LearningRate);
    }

    [Fact]
    public void InitialLearningRate_OutsideAnOptimizer_IsTheRateOfTheGroup() =>
        Assert.Equal(0.05, Group(own: 0.05, initial: null).InitialLearningRate);

    [Fact]
    public void InitialLearningRate_WhenThereIsNoRate_SaysWhatGivesOne()
    {
        var fault = Assert.Throws<InvalidOperationException>(() => Group(own: null, initial: null).InitialLearningRate);

        Assert.Contains("pass the group to an optimizer first", fault.Message, StringComparison.Ordinal);
    }

    private static FusedSgd Optimizer(ParameterGroup group) => new([group], new SgdOptions { LearningRate = 0.1 });

    private static ParameterGroup Group(double? own, double? initial)
    {
        var group = new ParameterGroup([("w", new Parameter(ones(1)))]);
        if (own is { } rate)
            group.LearningRate = rate;
        if (initial is { } start)
            group.InitialLearningRate = start;
        return group;
    }
}
