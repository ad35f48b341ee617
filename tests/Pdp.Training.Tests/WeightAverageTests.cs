using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Training.Tests;

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
    public void Exchange_WhenCalledTwice_BringsTheWeightsBack()
    {
        using var average = new WeightAverage(_model, 0.75);
        Set(5);

        average.Exchange();
        var inside = _model.weight!.ReadCpuSingle(0);
        average.Exchange();

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

    private void Set(float value)
    {
        using var noGrad = no_grad();
        using var five = full(1, value);
        _model.weight!.copy_(five);
        _model.running_mean!.copy_(five);
    }

    private static float Value(WeightAverage average, string name) => average.GetState().Single(entry => entry.Key == name).Value.ReadCpuSingle(0);
}
