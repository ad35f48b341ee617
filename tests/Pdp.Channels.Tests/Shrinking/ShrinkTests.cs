using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Tests.Channels.Shrinking;

public sealed class ShrinkTests
{
    public static TheoryData<string, ScalarType> Networks
    {
        get
        {
            var data = new TheoryData<string, ScalarType>();
            foreach (var zoo in Zoo.All.Concat(Zoo.Either))
            {
                data.Add(zoo.Name, ScalarType.Float32);
                data.Add(zoo.Name, ScalarType.Float64);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void Shrink_GivesTheMaskedModelsOutput_WithFewerParameters(string name, ScalarType type)
    {
        using var run = new ShrinkRun(name, type);
        var masked = run.Output();

        var report = run.Pruner.Shrink(run.Example);

        var tolerance = type == ScalarType.Float64 ? 1e-12 : 1e-5;
        Close.Equal(masked, run.Output(), relative: 0, absolute: tolerance * masked.Max(Math.Abs));
        Assert.InRange(report.Difference, 0, tolerance * report.Scale);
        Close.Equal(masked.Max(Math.Abs), report.Scale, 1e-6);
        Assert.Equal(run.Model.parameters().Sum(parameter => parameter.numel()), report.ParametersAfter);
        Assert.True(report.ParametersAfter < report.ParametersBefore);
    }

    [Fact]
    public void Shrink_KeepsParametersAndLayersInStep()
    {
        using var run = new ShrinkRun(nameof(GroupedNet), ScalarType.Float32);
        var parameters = run.Model.parameters();

        run.Pruner.Shrink(run.Example);

        Assert.Equal(parameters.Select(parameter => parameter.Handle), run.Model.parameters().Select(parameter => parameter.Handle));
        Assert.All(run.Model.modules().OfType<Conv2d>(), layer =>
        {
            Assert.Equal(layer.weight.shape[0], layer.out_channels);
            Assert.Equal(layer.weight.shape[1] * layer.groups, layer.in_channels);
        });
        Assert.All(run.Model.modules().OfType<BatchNorm2d>(), norm =>
            Assert.All([norm.weight.shape[0], norm.bias!.shape[0], norm.running_mean!.shape[0], norm.running_var!.shape[0]], size =>
                Assert.Equal(norm.num_features, size)));
        Assert.Equal([2L], run.Model.modules().OfType<Conv2d>().Select(layer => layer.groups).Where(groups => groups > 1));
    }

    [Fact]
    public void Shrink_LetsTheModelTrainOn()
    {
        using var run = new ShrinkRun(nameof(InvertedNet), ScalarType.Float32);
        run.Pruner.Shrink(run.Example);
        run.Model.train();

        using var scope = NewDisposeScope();
        run.Model.call(run.Example).sum().backward();

        Assert.All(run.Model.named_parameters(), pair => Assert.Equal(pair.parameter.shape, pair.parameter.grad!.shape));
    }

    [Fact]
    public void Shrink_ToAnAlignment_KeepsMultiplesOfIt()
    {
        using var run = new ShrinkRun(nameof(VggLike), ScalarType.Float32, new PerChannel { RoundTo = 4 });

        var report = run.Pruner.Shrink(run.Example);

        Assert.All(report.Record.Groups, shrunk => Assert.Equal(0, shrunk.Kept.Count % 4));
        Assert.NotEmpty(report.Record.Groups);
    }

    [Fact]
    public void Shrink_OfAWeightThatIsExcluded_LeavesItAndWhatIsTiedToItWhole()
    {
        using var run = new ShrinkRun(nameof(ProjectedResNet), ScalarType.Float32, exclude: ["layer1.0.conv2"]);

        var plan = run.Pruner.Plan();

        Assert.Equal(
            "tied to layer1.0.conv2.weight, which stays dense", plan.Layers.Single(layer => layer.Name == "conv1.weight").DenseReason);
        Assert.DoesNotContain(run.Pruner.Shrink(run.Example).Record.Groups, shrunk => shrunk.Group.Name == "conv1.weight");
    }

    [Fact]
    public void Plan_CountsTheWeightsOfEachTiedLayer()
    {
        using var run = new ShrinkRun(nameof(ProjectedResNet), ScalarType.Float32);

        var plan = run.Pruner.Plan();

        var (first, tied) = (
            plan.Layers.Single(layer => layer.Name == "conv1.weight"), plan.Layers.Single(layer => layer.Name == "layer1.0.conv2.weight"));
        Assert.Equal("with conv1.weight", tied.Rule);
        Assert.Equal(first.Removed / (double)first.Elements, tied.Removed / (double)tied.Elements, 1e-12);
        Assert.Equal(run.Pruner.Masks.Sum(mask => mask.TargetWeights), plan.Removed);
    }

    [Fact]
    public void Commit_SilencesBiasesAndNormsToo()
    {
        using var run = new ShrinkRun(nameof(VggLike), ScalarType.Float32);

        var norm = run.Model.modules().OfType<BatchNorm2d>().First();

        Assert.Equal(run.Pruner.Masks[0].Target, norm.weight.Values().Count(value => value == 0));
        Assert.Equal(norm.weight.Values().Select(value => value == 0), norm.bias!.Values().Select(value => value == 0));
    }

    [Fact]
    public void Shrink_BeforeCommit_SaysWhatToCall()
    {
        var zoo = Zoo.Get(nameof(PlainCnn));
        using var model = zoo.Make();
        using var example = zoo.Batch();
        using var pruner = new PdpPruner(model, ShrinkRun.OptionsFor(ChannelMap.Find(model, example)));
        pruner.BeginEpoch(0);

        var fault = Assert.Throws<InvalidOperationException>(() => pruner.Shrink(example));

        Assert.Contains("call Commit() before Shrink()", fault.Message);
    }

    [Fact]
    public void Shrink_Twice_Throws()
    {
        using var run = new ShrinkRun(nameof(PlainCnn), ScalarType.Float32);
        run.Pruner.Shrink(run.Example);

        Assert.True(run.Pruner.IsShrunk);
        Assert.Contains("has been shrunk", Assert.Throws<InvalidOperationException>(() => run.Pruner.Shrink(run.Example)).Message);
        Assert.Contains("has been shrunk", Assert.Throws<InvalidOperationException>(() => run.Pruner.Mask()).Message);
    }

    [Fact]
    public void Shrink_WithoutAMap_SaysHowToGetOne()
    {
        var zoo = Zoo.Get(nameof(PlainCnn));
        using var model = zoo.Make();
        using var example = zoo.Batch();
        using var pruner = new PdpPruner(model, ShrinkRun.OptionsFor(null));
        pruner.BeginEpoch(0);
        pruner.Commit();

        Assert.Contains("ChannelMap.Find(model, example)", Assert.Throws<InvalidOperationException>(() => pruner.Shrink(example)).Message);
    }

    [Fact]
    public void Shrink_ByAMapThatIsWrong_LeavesTheModelAsItWas()
    {
        using var run = new ShrinkRun(nameof(PlainCnn), ScalarType.Float32, map => map.With(WithoutInputs(map.Groups[1])));
        var before = run.Output();

        var fault = Assert.Throws<InvalidOperationException>(() => run.Pruner.Shrink(run.Example));

        Assert.Contains("can't be shrunk", fault.Message, StringComparison.Ordinal);
        Assert.Equal(before, run.Output());
        Assert.False(run.Pruner.IsShrunk);
    }

    [Fact]
    public void Shrink_LeavesNoTensors()
    {
        // Making a model moves handles, which TorchSharp doesn't count right: all are made before.
        var runs = new Queue<ShrinkRun>(
            Enumerable.Range(0, Leaks.Operations).Select(_ => new ShrinkRun(nameof(PlainCnn), ScalarType.Float32)).ToArray());
        var all = runs.ToArray();

        Leaks.None(() =>
        {
            var run = runs.Dequeue();
            run.Pruner.Shrink(run.Example);
        });

        foreach (var run in all)
            run.Dispose();
    }

    private static ChannelGroup WithoutInputs(ChannelGroup group) =>
        group with { Slices = [.. group.Slices.Where(slice => slice.Role != ChannelRole.Input)] };

    [Fact]
    public void Shrink_OfSeveralOutputs_ComparesThemAll()
    {
        using var run = new ShrinkRun(nameof(PlainCnn), ScalarType.Float32);
        Tensor Width() => tensor((float)run.Model.parameters().First().shape[0]);

        var fault = Assert.Throws<InvalidOperationException>(() => run.Pruner.Shrink(() => [run.Model.call(run.Example), Width()]));
        var report = run.Pruner.Shrink(() => [zeros(0, 4), run.Model.call(run.Example)]);

        Assert.Contains("can't be shrunk", fault.Message, StringComparison.Ordinal);
        Close.Equal(run.Output().Max(Math.Abs), report.Scale, 1e-6);
        Assert.InRange(report.Difference, 0, 1e-5 * report.Scale);
    }

    [Fact]
    public void Shrink_OfAModelWithATiedWeight_CountsItOnce()
    {
        using var scope = NewDisposeScope();
        using var model = new TiedNet();
        var example = tensor(new long[] { 1, 2, 3, 4 }).reshape(2, 2);
        using var pruner = new PdpPruner(model, ShrinkRun.OptionsFor(ChannelMap.Find(model, example)));
        pruner.BeginEpoch(0);
        var expected = pruner.Commit().Size!;

        var report = pruner.Shrink(example);

        Assert.Equal(expected.Before.Parameters, report.ParametersBefore);
        Assert.Equal(expected.After.Parameters, report.ParametersAfter);
    }
}
