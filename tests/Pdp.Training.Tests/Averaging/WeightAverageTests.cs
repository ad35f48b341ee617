using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Training.Tests.Averaging;

public sealed class WeightAverageTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly TorchSharp.Modules.BatchNorm1d _model = BatchNorm1d(1);

    public void Dispose()
    {
        _model.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void Update_WhenWeightsMove_GoesAQuarterOfTheWay()
    {
        using var average = new WeightAverage(_model, 0.75);

        Set(5);
        average.Update();
        average.Update();

        // From 1 to 2 to 2.75; the running mean, a statistic, from 0 to 1.25 to 2.1875.
        Assert.Equal([2.75f, 2.1875f], [Value(average, "weight"), Value(average, "running_mean")]);
    }

    [Fact]
    public void Swap_WhenCalledTwice_BringsTheWeightsBack()
    {
        using var average = new WeightAverage(_model, 0.75);
        Set(5);

        average.Swap();
        var inside = _model.weight!.ReadCpuSingle(0);
        average.Swap();

        Assert.Equal([1f, 5f, 1f], [inside, _model.weight!.ReadCpuSingle(0), Value(average, "weight")]);
    }

    [Fact]
    public void SetState_WhenAShapeDiffers_Throws()
    {
        using var average = new WeightAverage(_model, 0.75);
        var state = average.GetState().ToDictionary(entry => entry.Key, entry => entry.Key == "bias" ? zeros(2) : entry.Value);

        var error = Assert.Throws<ArgumentException>(() => average.SetState(state));

        Assert.Contains("'bias'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Swap_WhenWeightsAreTied_SwapsThemOnce()
    {
        using var model = Sequential(("first", Linear(1, 1, hasBias: false)), ("second", Linear(1, 1, hasBias: false)));
        ((TorchSharp.Modules.Linear)model[1]).weight = ((TorchSharp.Modules.Linear)model[0]).weight;
        var weight = ((TorchSharp.Modules.Linear)model[0]).weight!;
        Fill(weight, 1);
        using var average = new WeightAverage(model, 0.5);
        Fill(weight, 2);

        average.Swap();
        var inside = weight.ReadCpuSingle(0);
        average.Swap();

        Assert.Equal((1f, 2f, 1), (inside, weight.ReadCpuSingle(0), average.GetState().Count));
    }

    [Fact]
    public void Update_WhileSwapped_IsAnErrorAndChangesNothing()
    {
        using var average = new WeightAverage(_model, 0.5);
        Set(2);
        average.Swap();

        Assert.Contains("Swap()", Assert.Throws<InvalidOperationException>(average.Update).Message, StringComparison.Ordinal);
        Assert.True(average.IsSwapped);
        Assert.Equal(1f, Value(average, "weight"));
        average.Swap();

        Assert.Equal(2f, _model.weight!.ReadCpuSingle(0));
    }

    [Fact]
    public void Update_OfHalfPrecision_AveragesInFloat32()
    {
        using var model = Linear(1, 1, hasBias: false);
        model.to(ScalarType.BFloat16);
        Fill(model.weight!, 0);
        using var average = new WeightAverage(model, 0.999);
        Fill(model.weight!, 1);

        for (var step = 0; step < 2000; step++)
            average.Update();

        Assert.Equal(1 - Math.Pow(0.999, 2000), Value(average, "weight"), 1e-4);
        average.Swap();
        average.Swap();
        Assert.Equal(1f, model.weight!.to_type(ScalarType.Float32).ReadCpuSingle(0));
    }

    [Fact]
    public void Update_AfterAWeightWasCutOrMoved_NamesItAndChangesNothing()
    {
        using var average = new WeightAverage(_model, 0.5);
        Set(5);
        using (no_grad())
            _model.running_mean!.set_(zeros(2));

        Assert.Contains("'running_mean'", Assert.Throws<InvalidOperationException>(average.Update).Message, StringComparison.Ordinal);
        Assert.Contains("'running_mean'", Assert.Throws<InvalidOperationException>(average.Swap).Message, StringComparison.Ordinal);
        Assert.Equal((1f, 5f), (Value(average, "weight"), _model.weight!.ReadCpuSingle(0)));
    }

    [Fact]
    public void Dispose_WhileSwapped_LeavesTheAveragesInTheModelAndNoTensorBehind()
    {
        var average = new WeightAverage(_model, 0.5);
        Set(5);
        average.Swap();

        average.Dispose();

        Assert.Equal(1f, _model.weight!.ReadCpuSingle(0));
        Leaks.None(() =>
        {
            using var other = new WeightAverage(_model, 0.5);
            other.Swap();
        });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(double.NaN)]
    public void Constructor_WhenTheDecayIsOutOfRange_SaysSo(double decay) =>
        Assert.Throws<ArgumentOutOfRangeException>(nameof(decay), () => new WeightAverage(_model, decay));

    [Fact]
    public void Arguments_WhenNull_AreRefused()
    {
        using var average = new WeightAverage(_model, 0.5);

        Assert.Throws<ArgumentNullException>("model", () => new WeightAverage(null!, 0.5));
        Assert.Throws<ArgumentNullException>("state", () => average.SetState(null!));
        Assert.Throws<ArgumentNullException>("state", () => average.CheckState(null!));
    }

    private static void Fill(Tensor weight, float value)
    {
        using var noGrad = no_grad();
        using var filled = full(1, value);
        weight.copy_(filled);
    }

    private void Set(float value)
    {
        using var noGrad = no_grad();
        using var five = full(1, value);
        _model.weight!.copy_(five);
        _model.running_mean!.copy_(five);
    }

    private static float Value(WeightAverage average, string name) =>
        average.GetState().Single(entry => entry.Key == name).Value.ReadCpuSingle(0);
}
