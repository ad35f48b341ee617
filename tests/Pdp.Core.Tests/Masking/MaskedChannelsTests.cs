using Pdp.Tests.Support;
using static Pdp.Tests.Masking.TwoMakersRun;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Masking;

/// <summary>Tied channels under one mask, with autograd as the oracle.</summary>
public sealed class MaskedChannelsTests
{
    public MaskedChannelsTests() => manual_seed(1);

    [Theory]
    [InlineData(ScalarType.Float64, 1e-12, true)]
    [InlineData(ScalarType.Float64, 1e-12, false)]
    [InlineData(ScalarType.Float32, 1e-4, true)]
    [InlineData(ScalarType.Float32, 1e-4, false)]
    public void Gradient_ThroughTheSharedMask_IsAutogradsOfTheMaskedFunction(ScalarType type, double tolerance, bool masksFilters)
    {
        using var model = new TwoMakers(type);
        using var input = Tensors.Of(Tensors.Normal(3, 5 * 3), [5, 3], type);
        using var pruner = Begun(model, masksFilters);
        using (var scope = NewDisposeScope())
        using (pruner.Mask())
            model.call(input).pow(2).sum().backward();

        using var oracle = NewDisposeScope();
        var expected = Oracle(model, input, masksFilters);

        foreach (var (name, parameter) in model.named_parameters())
            Close.Equal(expected[name].Values(), parameter.grad!.Values(), tolerance, tolerance);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Gradient_InTheFoldedScope_IsAutogradsOfTheMaskWithWhatIsKept(bool masksFilters)
    {
        using var model = new TwoMakers(ScalarType.Float64);
        using var input = Tensors.Of(Tensors.Normal(3, 5 * 3), [5, 3], ScalarType.Float64);
        using var pruner = Begun(model, masksFilters);
        using (var scope = NewDisposeScope())
        using (pruner.Mask(MaskForm.Folded))
            model.call(input).pow(2).sum().backward();

        using var oracle = NewDisposeScope();
        var expected = Oracle(model, input, masksFilters, MaskForm.Folded);

        foreach (var (name, parameter) in model.named_parameters())
            Close.Equal(expected[name].Values(), parameter.grad!.Values(), 1e-9, 1e-9);
    }

    [Theory]
    [InlineData(ScalarType.Float64, true)]
    [InlineData(ScalarType.Float64, false)]
    [InlineData(ScalarType.Float32, true)]
    [InlineData(ScalarType.Float32, false)]
    public void Mask_MultipliesFiltersAndCompanions_ByOneValueAChannel(ScalarType type, bool masksFilters)
    {
        var tolerance = type == ScalarType.Float64 ? 1e-12 : 1e-6;
        using var model = new TwoMakers(type);
        using var pruner = Begun(model, masksFilters);
        var dense = model.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.Values());

        using var scope = NewDisposeScope();
        using (no_grad())
        using (pruner.Mask())
        {
            var mask = Enumerable.Range(0, 6).Select(i => model.norm.weight.Values()[i] / dense["norm.weight"][i]).ToArray();
            Assert.All(mask, value => Assert.InRange(value, 1e-6, 1));
            Close.Equal(
                [.. mask.Select((value, i) => masksFilters ? value * dense["b.bias"][i] : dense["b.bias"][i])],
                model.b.bias!.Values(),
                tolerance);
            Close.Equal([.. mask.Select((value, i) => value * dense["norm.weight"][i])], model.norm.weight.Values(), tolerance);
            Close.Equal([.. mask.Select((value, i) => value * dense["norm.bias"][i])], model.norm.bias!.Values(), tolerance);
            Close.Equal(
                [.. dense["a.weight"].Select((weight, i) => masksFilters ? weight * mask[i / 3] : weight)],
                model.a.weight.Values(),
                tolerance);
            Assert.Equal(dense["last.weight"], model.last.weight.Values());
        }

        Assert.Equal(dense, model.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.Values()));
    }

    [Fact]
    public void Report_CountsTheWeightsOfUndecidedChannels()
    {
        using var model = new TwoMakers(ScalarType.Float64);
        using var pruner = Begun(model);
        using var scope = NewDisposeScope();
        var soft = pruner.Masks.Single().Soft(cat([model.a.weight!, model.b.weight!], 1).detach()).Values();

        var undecided = soft.Count(value => value is > 0.05 and < 0.95) / (double)soft.Length;

        Assert.InRange(undecided, 0.1, 0.9);
        Assert.Equal(undecided, pruner.Report().Layers.Single().Undecided, 1e-12);
    }

    [Theory]
    [InlineData(MaskForm.Folded)]
    [InlineData(MaskForm.Raw)]
    public void Commit_MakesWhatTheHardScopeShowed(MaskForm form)
    {
        using var model = new TwoMakers(ScalarType.Float64);
        using var pruner = Begun(model);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        double[] shown;
        using (pruner.Mask(form))
            shown = [.. model.parameters().SelectMany(parameter => parameter.Values())];

        var report = pruner.Commit(form);

        Assert.Equal(shown, model.parameters().SelectMany(parameter => parameter.Values()));
        Assert.Equal(3, pruner.Masks.Single().Removed);
        Assert.Equal(3 * 6, report.Removed);
        Assert.Equal(0, report.Layers.Single().Violations);
    }

    [Fact]
    public void Mask_AfterCommit_KeepsTheZeros()
    {
        using var model = new TwoMakers(ScalarType.Float64);
        using var input = Tensors.Of(Tensors.Normal(3, 5 * 3), [5, 3]);
        using var pruner = Begun(model);
        pruner.Commit();
        var zeros = model.norm.weight.Values().Select(value => value == 0).ToArray();
        using (no_grad())
            model.norm.bias!.add_(1.0);

        using (var scope = NewDisposeScope())
        using (pruner.Mask())
            model.call(input).sum().backward();

        Assert.Equal(zeros, model.norm.bias.Values().Select(value => value == 0));
        Assert.Equal(3, zeros.Count(isZero => isZero));
    }

    [Fact]
    public void Mask_AfterCommit_LetsNoGradientThrough()
    {
        // Without a rectifier, which stops gradients of silent channels by itself.
        using var first = Linear(3, 6);
        using var model = Sequential(("first", first), ("last", Linear(6, 2)));
        using var input = rand(4, 3);
        using var pruner = new PdpPruner(model, OptionsFor(ChannelMap.Find(model, input)));
        pruner.BeginEpoch(0);
        pruner.Commit();
        var zeros = first.bias!.Values().Select(value => value == 0).ToArray();

        using (var scope = NewDisposeScope())
        using (pruner.Mask())
            model.call(input).sum().backward();

        Assert.Equal(zeros, first.bias!.grad!.Values().Select(value => value == 0));
        Assert.Equal(zeros, Enumerable.Range(0, 6).Select(i => first.weight!.grad!.Values()[3 * i] == 0));
        Assert.Equal(3, zeros.Count(isZero => isZero));
    }

    /// <summary>The masked function written down, with t and τ as constants: autograd's gradients by name.</summary>
    private static Dictionary<string, Tensor> Oracle(TwoMakers model, Tensor input, bool masksFilters, MaskForm form = MaskForm.Soft)
    {
        var p = model.named_parameters().ToDictionary(pair => pair.name, pair => (Tensor)pair.parameter.detach().clone().requires_grad_());
        var score = cat([p["a.weight"], p["b.weight"]], 1).pow(2).mean([1]);
        var magnitudes = score.detach().sqrt().Values().Order().ToArray();
        var threshold = (magnitudes[2] + magnitudes[3]) / 2;
        var soft = ((score - (threshold * threshold)) / (Ratio * threshold * threshold)).sigmoid();
        var kept = (form == MaskForm.Soft ? soft.ones_like() : soft.gt(0.5).to_type(soft.dtype)).detach();
        var m = soft * kept;
        var column = (masksFilters ? m : kept).unsqueeze(1);
        var a = functional.linear(input, p["a.weight"] * column, p["a.bias"] * column.flatten());
        var b = functional.linear(input, p["b.weight"] * column, p["b.bias"] * column.flatten());
        var x = functional.batch_norm(a + b, null, null, p["norm.weight"] * m, p["norm.bias"] * m, training: true, eps: 1e-5);
        functional.linear(functional.leaky_relu(x, 0.1), p["last.weight"], p["last.bias"]).pow(2).sum().backward();
        return p.ToDictionary(pair => pair.Key, pair => pair.Value.grad!);
    }
}
