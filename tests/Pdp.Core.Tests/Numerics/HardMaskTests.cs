using Pdp.Masking;
using Pdp.Numerics;
using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Numerics;

/// <summary>Masks with t²/τ ≥ 10⁴ are meant hard: no gradient comes through them, whatever lies on the threshold.</summary>
public sealed class HardMaskTests
{
    public static TheoryData<string, ScalarType, double> Cases()
    {
        var cases = new TheoryData<string, ScalarType, double>();
        foreach (var strategy in (string[])["unstructured", "2:4", "channel"])
        {
            foreach (var type in (ScalarType[])[ScalarType.Float32, ScalarType.Float64, ScalarType.BFloat16, ScalarType.Float16])
            {
                foreach (var ratio in (double[])[1e-4, 1e-6, 1e-12])
                    cases.Add(strategy, type, ratio);
            }
        }

        return cases;
    }

    [Theory]
    [InlineData("unstructured", ScalarType.Float32)]
    [InlineData("unstructured", ScalarType.Float64)]
    [InlineData("2:4", ScalarType.Float32)]
    [InlineData("2:4", ScalarType.Float64)]
    public void KeptBy_OfScoresThatAreNaN_RemovesTheCount(string strategy, ScalarType type)
    {
        using var scope = NewDisposeScope();
        IMaskStrategy pattern = strategy == "2:4" ? NofM.Keep(2, of: 4) : new Unstructured();
        var mask = Making.Mask(pattern, [1, 4], 2, Temperature.Absolute(1));

        Assert.Equal([false, true, true, false], Kept(double.NaN, double.NaN, double.NaN, 1));
        Assert.Equal([true, false, false, true], Kept(double.NaN, 2, 1, 3));
        Assert.Equal([false, false, true, true], Kept(double.NaN, double.PositiveInfinity, double.NaN, double.NaN));

        bool[] Kept(params double[] scores) => mask.KeptBy(tensor(scores).to_type(type).reshape(1, 4)).data<bool>().ToArray();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Scope_OverEqualMagnitudes_LetsNoGradientThroughTheMask(string strategy, ScalarType type, double ratio)
    {
        foreach (var temperature in (Temperature[])[Temperature.Relative(ratio), Temperature.Absolute(ratio)])
        {
            using var scope = NewDisposeScope();
            using var layer = Linear(16, 8, hasBias: false);
            layer.to(type);
            using (no_grad())
                layer.weight!.copy_(Tensors.Of(Signs(), [8, 16], type));
            using var pruner = new PdpPruner(layer, Options(strategy) with { Temperature = temperature });
            var upstream = Tensors.Of(Tensors.Normal(2, 128), [8, 16], type);
            pruner.BeginEpoch(0);
            var mask = pruner.Masks[0].Soft(layer.weight!).Values();

            using (pruner.Mask())
                layer.weight!.grad = upstream.clone();

            double[] expected = [.. upstream.Values().Zip(mask, (gradient, m) => gradient * m)];
            Close.Equal(expected, layer.weight!.grad!.Values(), Close.Of(type));
            Assert.Contains(mask, value => value is > 0.4 and < 0.6);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Apply_ToEqualMagnitudes_LetsNoGradientThroughTheMask(string strategy, ScalarType type, double ratio)
    {
        using var scope = NewDisposeScope();
        var chosen = StrategyOf(strategy);
        var mask = Making.Mask(chosen, [8, 16], chosen.GroupingOf(new([8, 16])).Members / 2, Temperature.Relative(ratio));
        var weight = Tensors.Of(Signs(), [8, 16], type).requires_grad_();
        var upstream = Tensors.Of(Tensors.Normal(2, 128), [8, 16], type);

        mask.Apply(weight).backward([upstream]);

        double[] expected = [.. upstream.Values().Zip(mask.Soft(weight).Values(), (gradient, m) => gradient * m)];
        Close.Equal(expected, weight.grad!.Values(), Close.Of(type));
    }

    [Theory]
    [InlineData(9900, 4950.5)]
    [InlineData(10000, 0.5)]
    [InlineData(1e9, 0.5)]
    public void Gradient_AtTheThreshold_IsThatOfTheEquationUntilMasksAreHard(double sharpness, double factor)
    {
        using var scope = NewDisposeScope();
        foreach (var temperature in (Temperature[])[Temperature.Relative(1 / sharpness), Temperature.Absolute(0.01 / sharpness)])
        {
            var mask = Making.Mask(new Unstructured(), [4], 2, temperature);
            var weight = Tensors.Of([.01, .1, -.1, .9]).requires_grad_();
            mask.Apply(weight).sum().backward();
            var closed = SoftMask.Gradient(
                weight.detach(), weight.detach().ones_like(), mask.BoundaryOf(weight.detach()), mask.Strategy, mask.Layout);

            Close.Equal([0, factor, factor, 1], weight.grad!.Values(), Close.Float64);
            Close.Equal([0, factor, factor, 1], closed.Values(), Close.Float64);
        }
    }

    [Fact]
    public void Scope_OverChannelsWithTheDefaultTemperature_KeepsTheSizeOfGradients()
    {
        foreach (var type in (ScalarType[])[ScalarType.Float32, ScalarType.Float64])
        {
            using var scope = NewDisposeScope();
            using var layer = Linear(16, 8);
            layer.to(type);
            using (no_grad())
                layer.weight!.copy_(Tensors.Of(UnitRows(), [8, 16], type));
            using var pruner = new PdpPruner(layer, Options("channel") with { Temperature = null });
            pruner.BeginEpoch(0);

            using (pruner.Mask())
                layer.call(ones(4, 16, dtype: type)).pow(tensor(2.0, dtype: type)).sum().backward();
            var largest = layer.weight!.grad!.Values().Max(Math.Abs);
            layer.zero_grad();
            layer.call(ones(4, 16, dtype: type)).pow(tensor(2.0, dtype: type)).sum().backward();

            Assert.InRange(largest, 1e-3, layer.weight.grad!.Values().Max(Math.Abs));
        }
    }

    private static PdpOptions Options(string strategy) => new()
    {
        Epochs = 1,
        Sparsity = 0.5,
        Strategy = StrategyOf(strategy),
        Schedule = new ConstantSparsity(),
    };

    private static IMaskStrategy StrategyOf(string name) => name switch
    {
        "2:4" => NofM.Keep(2, of: 4),
        "channel" => new PerChannel(),
        _ => new Unstructured(),
    };

    private static double[] Signs() => [.. Tensors.Normal(1, 128).Select(value => (double)Math.Sign(value))];

    private static double[] UnitRows() =>
        [.. Tensors.Normal(1, 128).Chunk(16).SelectMany(row => row.Select(value => value / Math.Sqrt(row.Sum(other => other * other))))];
}
