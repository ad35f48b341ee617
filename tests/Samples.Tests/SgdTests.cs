using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests;

public sealed class SgdTests : IDisposable
{
    // The same sums in the same order in float64: what is left is rounding in the last place.
    private const double Tolerance = 1e-14;
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void ForgetWhereZero_DropsTheMomentumOfZerosAlone()
    {
        var weight = Weight();
        using var optimizer = new Sgd([("w", weight)], 0.1, 0.9);
        Backward(weight);
        optimizer.Step();
        using (no_grad())
        {
            weight.flatten()[0] = 0;
        }

        optimizer.ForgetWhereZero(new HashSet<string> { "other" });
        var before = Values(optimizer.ExportState()["w"]);
        optimizer.ForgetWhereZero(new HashSet<string> { "w" });
        var after = Values(optimizer.ExportState()["w"]);

        Assert.DoesNotContain(0.0, before);
        Assert.Equal([0, .. before[1..]], after);
    }

    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(0, 0.1, false)]
    [InlineData(0.9, 0, false)]
    [InlineData(0.9, 0.1, false)]
    [InlineData(0.9, 0.1, true)]
    public void Step_WhenTakenFiveTimes_EqualsTorch(double momentum, double weightDecay, bool nesterov)
    {
        var (ours, theirs) = (Weight(), Weight());
        using var optimizer = new Sgd([("w", ours)], 0.1, momentum, weightDecay, nesterov);
        using var reference = optim.SGD([theirs], 0.1, momentum, 0, weightDecay, nesterov);

        for (var step = 1; step <= 5; step++)
        {
            optimizer.LearningRate = 0.1 / step;
            reference.ParamGroups.First().LearningRate = 0.1 / step;
            Backward(ours);
            Backward(theirs);
            optimizer.Step();
            reference.step();
            optimizer.ZeroGradients();
            reference.zero_grad();
        }

        Assert.NotEqual(Values(Weight()), Values(ours));
        Assert.All(Values(ours).Zip(Values(theirs)), pair => Assert.Equal(pair.Second, pair.First, Tolerance));
    }

    [Fact]
    public void Step_WhenGroupsDecayDifferently_EqualsTorch()
    {
        var (ours, theirs) = (new[] { Weight(), Weight() }, new[] { Weight(), Weight() });
        using var optimizer = new Sgd([new ParameterGroup([("a", ours[0])], 0.1), new ParameterGroup([("b", ours[1])], 0)], 0.1, 0.9);
        using var decaying = optim.SGD([theirs[0]], 0.1, 0.9, 0, 0.1);
        using var lasting = optim.SGD([theirs[1]], 0.1, 0.9);

        for (var step = 0; step < 3; step++)
        {
            optimizer.ZeroGradients();
            decaying.zero_grad();
            lasting.zero_grad();
            Array.ForEach([.. ours, .. theirs], Backward);
            optimizer.Step();
            decaying.step();
            lasting.step();
        }

        Assert.NotEqual(Values(ours[0]), Values(ours[1]));
        Assert.All(ours.Zip(theirs), pair => Assert.All(Values(pair.First).Zip(Values(pair.Second)), value => Assert.Equal(value.Second, value.First, Tolerance)));
    }

    [Fact]
    public void WeightsOnly_OfAConvolutionWithNorm_LetsOnlyItsWeightDecay()
    {
        using var model = nn.Sequential(("0", nn.Conv2d(3, 4, 3)), ("1", nn.BatchNorm2d(4)));

        var groups = ParameterGroup.WeightsOnly(model.named_parameters(), 0.1);

        Assert.Equal(["0.1: 0.weight", "0: 0.bias 1.weight 1.bias"], groups.Select(group => $"{group.WeightDecay}: {string.Join(' ', group.Parameters.Select(entry => entry.Name))}"));
    }

    [Fact]
    public void Step_WhenParameterHasNoGradient_LeavesIt()
    {
        var (trained, frozen) = (Weight(), Weight());
        using var optimizer = new Sgd([("trained", trained), ("frozen", frozen)], 0.1, 0.9, 0.1);
        Backward(trained);

        optimizer.Step();

        Assert.Equal(Values(Weight()), Values(frozen));
        Assert.NotEqual(Values(Weight()), Values(trained));
        Assert.Equal(["trained"], optimizer.ExportState().Keys);
    }

    [Fact]
    public void ImportState_WhenExported_GoesOnBitForBit()
    {
        var first = Weight();
        using var optimizer = new Sgd([("w", first)], 0.1, 0.9, 0.1);
        Steps(optimizer, first, 2);
        var second = new Parameter(first.detach().clone());
        using var resumed = new Sgd([("w", second)], 0.1, 0.9, 0.1);

        resumed.ImportState(optimizer.ExportState());
        Steps(optimizer, first, 2);
        Steps(resumed, second, 2);

        Assert.Equal(Values(first), Values(second));
    }

    [Theory]
    [InlineData("v", 3)]
    [InlineData("w", 2)]
    public void ImportState_WhenStateDoesNotFit_ThrowsByName(string name, int length)
    {
        using var optimizer = new Sgd([("w", Weight())], 0.1, 0.9);

        var error = Assert.Throws<InvalidDataException>(
            () => optimizer.ImportState(new Dictionary<string, Tensor> { [name] = zeros(length) }));

        Assert.Contains($"'{name}' [{length}]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Step_WhenRepeatedInAScope_LeavesOnlyTheMomentum()
    {
        var weight = Weight();
        using var optimizer = new Sgd([("w", weight)], 0.1, 0.9, 0.1, nesterov: true);
        Steps(optimizer, weight, 1);
        DisposeScopeManager.Statistics.Reset();

        using (NewDisposeScope())
        {
            Steps(optimizer, weight, 3);
        }

        Assert.Equal(0, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Steps(optimizer, weight, 1);
    }

    [Fact]
    public void Constructor_WhenNesterovHasNoMomentum_Throws() =>
        Assert.Throws<ArgumentException>(() => new Sgd([("w", Weight())], 0.1, nesterov: true));

    private static Parameter Weight() => new(tensor(new[] { 0.5, -1.5, 2.0 }));

    private static double[] Values(Tensor weight) => weight.data<double>().ToArray();

    private static void Steps(Sgd optimizer, Parameter weight, int count)
    {
        for (var step = 0; step < count; step++)
        {
            optimizer.ZeroGradients();
            Backward(weight);
            optimizer.Step();
        }
    }

    // The gradient of Σ w⁴ is not linear in w, so that an error anywhere shows in every later step.
    private static void Backward(Tensor weight)
    {
        using var scope = NewDisposeScope();
        var square = weight.mul(weight);
        square.mul(square).sum().backward();
    }
}
