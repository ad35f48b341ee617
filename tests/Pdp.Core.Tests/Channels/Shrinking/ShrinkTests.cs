using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

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
        using var run = new Run(name, type);
        var masked = run.Output();

        var report = run.Pruner.Shrink(run.Example);

        var tolerance = type == ScalarType.Float64 ? 1e-12 : 1e-5;
        Close.Equal(masked, run.Output(), relative: 0, absolute: tolerance * masked.Max(Math.Abs));
        Assert.InRange(report.Difference, 0, tolerance * report.Scale);
        Close.Equal(masked.Max(Math.Abs), report.Scale, 1e-6);
        Assert.Equal(run.Model.parameters().Sum(parameter => parameter.numel()), report.ParametersAfter);
        Assert.True(report.ParametersAfter < report.ParametersBefore);
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void Apply_ToANewModel_LetsItTakeTheShrunkWeights(string name, ScalarType type)
    {
        using var run = new Run(name, type);
        var record = ShrinkRecord.FromJson(run.Pruner.Shrink(run.Example).Record.ToJson());
        using var fresh = Zoo.Get(name).Make(seed: 7, type: type);

        record.Apply(fresh);
        fresh.load_state_dict(run.Model.state_dict());

        Assert.Equal(run.Output(), run.Output(fresh));
    }

    [Fact]
    public void Shrink_KeepsParametersAndLayersInStep()
    {
        using var run = new Run(nameof(GroupedNet), ScalarType.Float32);
        var parameters = run.Model.parameters();

        run.Pruner.Shrink(run.Example);

        Assert.Equal(parameters.Select(parameter => parameter.Handle), run.Model.parameters().Select(parameter => parameter.Handle));
        Assert.All(run.Model.modules().OfType<Conv2d>(), layer =>
        {
            Assert.Equal(layer.weight.shape[0], layer.out_channels);
            Assert.Equal(layer.weight.shape[1] * layer.groups, layer.in_channels);
        });
        Assert.All(run.Model.modules().OfType<BatchNorm2d>(), norm =>
            Assert.All([norm.weight.shape[0], norm.bias!.shape[0], norm.running_mean!.shape[0], norm.running_var!.shape[0]], size => Assert.Equal(norm.num_features, size)));
        Assert.Equal([2L], run.Model.modules().OfType<Conv2d>().Select(layer => layer.groups).Where(groups => groups > 1));
    }

    [Fact]
    public void Shrink_LetsTheModelTrainOn()
    {
        using var run = new Run(nameof(InvertedNet), ScalarType.Float32);
        run.Pruner.Shrink(run.Example);
        run.Model.train();

        using var scope = NewDisposeScope();
        run.Model.call(run.Example).sum().backward();

        Assert.All(run.Model.named_parameters(), pair => Assert.Equal(pair.parameter.shape, pair.parameter.grad!.shape));
    }

    [Fact]
    public void Shrink_ToAnAlignment_KeepsMultiplesOfIt()
    {
        using var run = new Run(nameof(VggLike), ScalarType.Float32, new PerChannel { RoundTo = 4 });

        var report = run.Pruner.Shrink(run.Example);

        Assert.All(report.Record.Groups, shrunk => Assert.Equal(0, shrunk.Kept.Count % 4));
        Assert.NotEmpty(report.Record.Groups);
    }

    [Fact]
    public void Shrink_OfAWeightThatIsExcluded_LeavesItAndWhatIsTiedToItWhole()
    {
        using var run = new Run(nameof(ProjectedResNet), ScalarType.Float32, exclude: ["layer1.0.conv2"]);

        var plan = run.Pruner.Plan();

        Assert.Equal("tied to layer1.0.conv2.weight, which stays dense", plan.Layers.Single(layer => layer.Name == "conv1.weight").DenseReason);
        Assert.DoesNotContain(run.Pruner.Shrink(run.Example).Record.Groups, shrunk => shrunk.Group.Name == "conv1.weight");
    }

    [Fact]
    public void Plan_CountsTheWeightsOfEachTiedLayer()
    {
        using var run = new Run(nameof(ProjectedResNet), ScalarType.Float32);

        var plan = run.Pruner.Plan();

        var (first, tied) = (plan.Layers.Single(layer => layer.Name == "conv1.weight"), plan.Layers.Single(layer => layer.Name == "layer1.0.conv2.weight"));
        Assert.Equal("with conv1.weight", tied.Rule);
        Assert.Equal(first.Removed / (double)first.Elements, tied.Removed / (double)tied.Elements, 1e-12);
        Assert.Equal(run.Pruner.Masks.Sum(mask => mask.TargetWeights), plan.Removed);
    }

    [Fact]
    public void Commit_SilencesBiasesAndNormsToo()
    {
        using var run = new Run(nameof(VggLike), ScalarType.Float32);

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
        using var pruner = new PdpPruner(model, Run.OptionsFor(ChannelMap.Find(model, example)));
        pruner.BeginEpoch(0);

        var fault = Assert.Throws<InvalidOperationException>(() => pruner.Shrink(example));

        Assert.Contains("call Commit() before Shrink()", fault.Message);
    }

    [Fact]
    public void Shrink_Twice_Throws()
    {
        using var run = new Run(nameof(PlainCnn), ScalarType.Float32);
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
        using var pruner = new PdpPruner(model, Run.OptionsFor(null));
        pruner.BeginEpoch(0);
        pruner.Commit();

        Assert.Contains("ChannelMap.Find(model, example)", Assert.Throws<InvalidOperationException>(() => pruner.Shrink(example)).Message);
    }

    [Fact]
    public void Shrink_ByAMapThatIsWrong_LeavesTheModelAsItWas()
    {
        using var run = new Run(nameof(PlainCnn), ScalarType.Float32, map => map.With(WithoutInputs(map.Groups[1])));
        var before = run.Output();

        Assert.ThrowsAny<Exception>(() => run.Pruner.Shrink(run.Example));

        Assert.Equal(before, run.Output());
        Assert.False(run.Pruner.IsShrunk);
    }

    [Fact]
    public void Apply_ToAnotherModel_NamesWhatIsMissing()
    {
        using var run = new Run(nameof(PlainCnn), ScalarType.Float32);
        var record = run.Pruner.Shrink(run.Example).Record;
        using var other = Zoo.Get(nameof(VggLike)).Make();

        Assert.Contains("this one has no 'conv1.", Assert.Throws<ArgumentException>(() => record.Apply(other)).Message);
    }

    [Fact]
    public void Apply_Twice_SaysThatItIsDone()
    {
        using var run = new Run(nameof(PlainCnn), ScalarType.Float32);
        var record = run.Pruner.Shrink(run.Example).Record;
        using var fresh = Zoo.Get(nameof(PlainCnn)).Make();
        record.Apply(fresh);
        var before = run.Output(fresh);

        Assert.Contains("shrunk already", Assert.Throws<ArgumentException>(() => record.Apply(fresh)).Message);
        Assert.Equal(before, run.Output(fresh));
    }

    [Theory]
    [InlineData("\"version\": 1", "\"version\": 9", "version 9")]
    [InlineData("{", "", "Not a shrink record")]
    public void FromJson_OfSomethingElse_Throws(string part, string with, string expected)
    {
        using var run = new Run(nameof(PlainCnn), ScalarType.Float32);
        var json = run.Pruner.Shrink(run.Example).Record.ToJson();
        var at = json.IndexOf(part, StringComparison.Ordinal);

        var fault = Assert.Throws<ArgumentException>(() => ShrinkRecord.FromJson(json[..at] + with + json[(at + part.Length)..]));

        Assert.Contains(expected, fault.Message);
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(0, 0)]
    [InlineData(3, 99)]
    public void Apply_OfADamagedRecord_Throws(long first, long second)
    {
        using var run = new Run(nameof(PlainCnn), ScalarType.Float32);
        var record = run.Pruner.Shrink(run.Example).Record;
        using var fresh = Zoo.Get(nameof(PlainCnn)).Make();
        var before = run.Output(fresh);
        var damaged = record with { Groups = [record.Groups[0] with { Kept = [first, second] }] };

        Assert.Contains("damaged", Assert.Throws<ArgumentException>(() => damaged.Apply(fresh)).Message);
        Assert.Equal(before, run.Output(fresh));
    }

    [Fact]
    public void Shrink_LeavesNoTensors()
    {
        // Making a model moves handles, which TorchSharp doesn't count right: all are made before.
        var runs = new Queue<Run>(Enumerable.Range(0, Leaks.Operations).Select(_ => new Run(nameof(PlainCnn), ScalarType.Float32)).ToArray());
        var all = runs.ToArray();

        Leaks.None(() =>
        {
            var run = runs.Dequeue();
            run.Pruner.Shrink(run.Example);
        });

        foreach (var run in all)
            run.Dispose();
    }

    private static ChannelGroup WithoutInputs(ChannelGroup group) => group with { Slices = [.. group.Slices.Where(slice => slice.Role != ChannelRole.Input)] };

    /// <summary>A network, pruned to half of its channels and committed.</summary>
    private sealed class Run : IDisposable
    {
        public Run(string name, ScalarType type, IMaskStrategy? strategy = null, IReadOnlyList<LayerMatch>? exclude = null)
            : this(name, type, map => map, strategy, exclude)
        {
        }

        public Run(string name, ScalarType type, Func<ChannelMap, ChannelMap> change, IMaskStrategy? strategy = null, IReadOnlyList<LayerMatch>? exclude = null)
        {
            var zoo = Zoo.Get(name);
            Model = zoo.Make(type: type);
            Example = zoo.Batch(type: type);
            using (var single = zoo.Batch(size: 1, type: type))
                Pruner = new(Model, OptionsFor(change(ChannelMap.Find(Model, single)), strategy) with { Exclude = exclude ?? [] });
            Pruner.BeginEpoch(0);
            Pruner.Commit();
        }

        public Module<Tensor, Tensor> Model { get; }

        public Tensor Example { get; }

        public PdpPruner Pruner { get; }

        public static PdpOptions OptionsFor(ChannelMap? map, IMaskStrategy? strategy = null) => new()
        {
            Epochs = 1,
            Sparsity = 0.5,
            Strategy = strategy ?? new PerChannel(),
            Channels = map,
            Schedule = new ConstantSparsity(),
            Allocation = new UniformSparsity(),
        };

        public double[] Output(Module<Tensor, Tensor>? model = null)
        {
            using var scope = NewDisposeScope();
            using var _ = no_grad();
            return (model ?? Model).call(Example).Values();
        }

        public void Dispose()
        {
            Pruner.Dispose();
            Example.Dispose();
            Model.Dispose();
        }
    }
}
