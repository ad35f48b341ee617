using Pdp.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Numerics;

/// <summary>
/// A temperature for the gradient alone: the weights of the scope are those of one mask, their gradient is that of the other.
/// </summary>
public sealed class GradientTemperatureTests
{
    private static readonly Temperature Sharp = Temperature.Relative(0.02);

    private static readonly Temperature[] Others =
    [
        Temperature.Relative(1), Temperature.Relative(1e-3), Temperature.Relative(1e-6), Temperature.Absolute(0.3),
        Temperature.Absolute(1e-3),
    ];

    public static TheoryData<string, ScalarType> Cases()
    {
        var cases = new TheoryData<string, ScalarType>();
        foreach (var strategy in (string[])["unstructured", "2:4", "3:8", "channel", "1x4"])
        {
            cases.Add(strategy, ScalarType.Float32);
            cases.Add(strategy, ScalarType.Float64);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Scope_WithATemperatureForTheGradient_HasTheWeightsOfOneMaskAndTheGradientOfTheOther(string strategy, ScalarType type)
    {
        foreach (var gradient in Others)
        {
            using var scope = NewDisposeScope();
            var (weights, _) = Scope(Options(strategy), type);
            var (_, gradients) = Scope(Options(strategy) with { Temperature = gradient }, type);

            var actual = Scope(Options(strategy) with { GradientTemperature = gradient }, type);

            Assert.Equal(weights, actual.Masked);
            Close.Equal(gradients, actual.Gradient, type == ScalarType.Float32 ? 2e-5 : Close.Float64, 1e-6);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Scope_WithTheSameTemperatureForTheGradient_ChangesNoBit(string strategy, ScalarType type)
    {
        using var scope = NewDisposeScope();

        var expected = Scope(Options(strategy), type);
        var actual = Scope(Options(strategy) with { GradientTemperature = Sharp }, type);

        Assert.Equal(expected.Masked, actual.Masked);
        Assert.Equal(expected.Gradient, actual.Gradient);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Apply_WithATemperatureForTheGradient_HasTheValueOfOneMaskAndTheGradientOfTheOther(string strategy, ScalarType type)
    {
        foreach (var gradient in Others)
        {
            using var scope = NewDisposeScope();
            var (value, _) = Apply(strategy, type, Sharp, null);
            var (_, gradients) = Apply(strategy, type, gradient, null);

            var actual = Apply(strategy, type, Sharp, gradient);

            Assert.Equal(value, actual.Masked);
            Close.Equal(gradients, actual.Gradient, Close.Float64, Close.Float64);
        }
    }

    [Fact]
    public void Gradient_AtARatioOfOne_HasTheFactorsThatTheOptionsTell()
    {
        using var scope = NewDisposeScope();
        var mask = new PdpMask("weight", new([4]), new Unstructured(), Temperature.Relative(1e-3), 2)
        {
            GradientTemperature = Temperature.Relative(1),
        };
        mask.Advance(1, 0);
        var weight = Tensors.Of([0, 1, 1, Math.Sqrt(2)]).requires_grad_();

        mask.Apply(weight).sum().backward();

        Close.Equal([0.2689, 1, 1, 1.5173], weight.grad!.Values(), 2e-4);
    }

    [Theory]
    [InlineData(nameof(Mlp))]
    [InlineData(nameof(PaddedResNet))]
    [InlineData(nameof(GroupedNet))]
    public void Scope_OfChannelsThatBelongTogether_GivesFiltersBiasesAndNormsTheGradientsOfTheOtherMask(string name)
    {
        foreach (var type in (ScalarType[])[ScalarType.Float32, ScalarType.Float64])
        {
            using var scope = NewDisposeScope();
            using var model = Zoo.Get(name).Make(type: type);
            var options = Options("channel") with { Sparsity = 0.4, Channels = ZooMaps.Of(name) };
            var weights = GroupScope(options, model).Masked;
            var gradients = GroupScope(options with { Temperature = Temperature.Relative(1) }, model).Gradient;

            var actual = GroupScope(options with { GradientTemperature = Temperature.Relative(1) }, model);

            Assert.Equal(weights, actual.Masked);
            Close.Equal(gradients, actual.Gradient, 10 * Close.Of(type), Close.Of(type));
        }
    }

    [Fact]
    public void Masks_OverTheEpochs_AnnealBothTemperatures()
    {
        using var scope = NewDisposeScope();
        var (mine, ruled) = (Temperature.Relative(1).AnnealedTo(0.25, 0, 4), Temperature.Absolute(0.3));
        using var model = Sequential(("a", Linear(16, 8, hasBias: false)), ("b", Linear(8, 8, hasBias: false)));
        using var pruner = new PdpPruner(model, Options("unstructured") with
        {
            Epochs = 4,
            Temperature = Temperature.Relative(1).AnnealedTo(0.01, 0, 4),
            GradientTemperature = mine,
            Rules = [new("b.weight") { GradientTemperature = ruled }],
        });

        pruner.BeginEpoch(0);
        using (pruner.Mask())
            model.call(ones(1, 16)).sum().backward();
        pruner.BeginEpoch(2);

        Assert.Equal([0.5, 0.3], pruner.Masks.Select(mask => Math.Round(mask.GradientTemperatureValue!.Value, 12)));
        Assert.Equal([mine, ruled], pruner.Masks.Select(mask => mask.GradientTemperature));
        Assert.Equal([0.1, 0.1], pruner.Masks.Select(mask => Math.Round(mask.TemperatureValue, 12)));
    }

    [Fact]
    public void Report_OfARunWithATemperatureForTheGradient_HasIt()
    {
        using var layer = Linear(16, 8, hasBias: false);
        using var pruner = new PdpPruner(layer, Options("unstructured") with { GradientTemperature = Temperature.Relative(1) });
        pruner.BeginEpoch(0);

        var report = pruner.Report();

        var row = Assert.Single(report.Layers);
        Assert.Equal(50 * row.Temperature!.Value, row.GradientTemperature!.Value, 1e-9);
        Assert.Equal(report.ToJson(), PruningReport.FromJson(report.ToJson()).ToJson());
    }

    [Fact]
    public void Pruner_WithAnAbsoluteTemperatureForTheGradientAndAnImportance_Refuses()
    {
        using var layer = Linear(16, 8, hasBias: false);
        var own = Temperature.Absolute(1e-3);
        var options = Options("unstructured") with { Importance = new Taylor(), Rules = [new("weight") { GradientTemperature = own }] };

        var error = Assert.Throws<ArgumentException>(() => new PdpPruner(layer, options));

        Assert.Contains("An absolute temperature is in units of weight²", error.Message, StringComparison.Ordinal);
    }

    /// <summary>The weights inside a scope, and ∂L/∂w after a second scope that adds to the gradient of the first.</summary>
    private static (double[] Masked, double[] Gradient) Scope(PdpOptions options, ScalarType type)
    {
        using var layer = Linear(40, 12, hasBias: false);
        layer.to(type);
        using (no_grad())
            layer.weight!.copy_(Tensors.Of(Tensors.Normal(1, 480), [12, 40], type));
        using var pruner = new PdpPruner(layer, options);
        pruner.BeginEpoch(0);
        double[] masked;
        using (pruner.Mask())
        {
            masked = layer.weight!.Values();
            layer.weight!.grad = Tensors.Of(Tensors.Normal(2, 480), [12, 40], type);
        }

        using (pruner.Mask())
            layer.weight.mul(Tensors.Of(Tensors.Normal(3, 480), [12, 40], type)).sum().backward();
        return (masked, layer.weight.grad!.Values());
    }

    private static (double[] Masked, double[] Gradient) GroupScope(PdpOptions options, Module<Tensor, Tensor> model)
    {
        Parameter[] parameters = [.. model.parameters()];
        model.zero_grad();
        using var pruner = new PdpPruner(model, options);
        pruner.BeginEpoch(0);
        double[] masked;
        using (pruner.Mask())
        {
            masked = [.. parameters.SelectMany(parameter => parameter.Values())];
            foreach (var (i, parameter) in parameters.Index())
                parameter.grad = Tensors.Of(Tensors.Normal(i, parameter.numel()), parameter.shape, parameter.dtype);
        }

        return (masked, [.. parameters.SelectMany(parameter => parameter.grad!.Values())]);
    }

    private static (double[] Masked, double[] Gradient) Apply(
        string strategy, ScalarType type, Temperature temperature, Temperature? gradient)
    {
        var chosen = StrategyOf(strategy);
        var removed = chosen.GroupingOf(new([12, 40])).Members / 2;
        var mask = new PdpMask("weight", new([12, 40]), chosen, temperature, removed) { GradientTemperature = gradient };
        mask.Advance(1, 0);
        var weight = Tensors.Of(Tensors.Normal(1, 480), [12, 40], type).requires_grad_();
        var masked = mask.Apply(weight);
        masked.backward([Tensors.Of(Tensors.Normal(2, 480), [12, 40], type)]);
        return (masked.Values(), weight.grad!.Values());
    }

    private static PdpOptions Options(string strategy) => new()
    {
        Epochs = 1,
        Sparsity = StrategyOf(strategy) is NofM ? null : 0.5,
        Strategy = StrategyOf(strategy),
        Schedule = new ConstantSparsity(),
        Temperature = Sharp,
    };

    private static IMaskStrategy StrategyOf(string name) => name switch
    {
        "2:4" => NofM.Keep(2, of: 4),
        "3:8" => NofM.Keep(3, of: 8),
        "channel" => new PerChannel(),
        "1x4" => new Block(1, 4),
        _ => new Unstructured(),
    };
}
