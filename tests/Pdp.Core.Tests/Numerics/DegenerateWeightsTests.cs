using Pdp.Masking;
using Pdp.Numerics;
using Pdp.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Numerics;

/// <summary>Zeros, ties, thresholds of 0, large gradients: nothing becomes NaN or infinite that isn't so by itself.</summary>
public sealed class DegenerateWeightsTests
{
    private const int Width = 8;

    private static readonly Temperature[] Temperatures =
        [
            Temperature.Relative(0.5), Temperature.Relative(1e-3), Temperature.Relative(1e-6), Temperature.Absolute(1e-4),
            Temperature.Absolute(1e-60),
        ];

    public static TheoryData<string, ScalarType> Cases()
    {
        var cases = new TheoryData<string, ScalarType>();
        foreach (var weights in (string[])["zeros", "ones", "rows of zeros", "nearly zeros", "one weight", "far apart", "subnormal"])
        {
            foreach (var type in (ScalarType[])[ScalarType.Float32, ScalarType.Float64, ScalarType.BFloat16, ScalarType.Float16])
                cases.Add(weights, type);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Scope_OverDegenerateWeights_GivesFiniteGradients(string weights, ScalarType type)
    {
        foreach (var strategy in (IMaskStrategy[])[new Unstructured(), NofM.Keep(2, of: 4), new PerChannel()])
        {
            foreach (var temperature in Temperatures)
            {
                foreach (var form in Enum.GetValues<MaskForm>())
                    RequireFinite(weights, type, strategy, temperature, form);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Apply_ToDegenerateWeights_AgreesWithTheClosedForm(string weights, ScalarType type)
    {
        using var scope = NewDisposeScope();
        foreach (var strategy in (IMaskStrategy[])[new Unstructured(), NofM.Keep(2, of: 4), new PerChannel()])
        {
            foreach (var temperature in Temperatures)
            {
                var mask = Making.Mask(strategy, [Width, Width], strategy.GroupingOf(new([Width, Width])).Members / 2, temperature);
                var weight = Weights(weights, type).requires_grad_();
                var upstream = Tensors.Of(Tensors.Normal(1, Width * Width), [Width, Width], type);

                mask.Apply(weight).backward([upstream]);

                var wide = weight.detach().to_type(type == ScalarType.Float64 ? type : ScalarType.Float32);
                var closed = SoftMask.Gradient(wide, upstream.to_type(wide.dtype), mask.BoundaryOf(wide), strategy, mask.Layout)
                    .to_type(type).Values();
                Assert.All(closed, value => Assert.True(double.IsFinite(value)));
                // Autograd takes 1 − m from an m that is rounded, which next to 1 costs up to 2w²/τ units in the last place.
                Close.Equal(closed, weight.grad!.Values(), Close.Of(type), type == ScalarType.Float64 ? 1e-11 : 1e-5);
            }
        }
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    public void Scope_OverChannelsOfWhichMostAreZero_WithLiveBiasesAndALargeLoss_GivesFiniteGradients(ScalarType type)
    {
        foreach (var temperature in Temperatures)
        {
            using var scope = NewDisposeScope();
            using var model = Sequential(("in", Linear(4, Width)), ("act", ReLU()), ("out", Linear(Width, 3)));
            model.to(type);
            var input = Tensors.Of(Tensors.Normal(2, 20), [5, 4], type);
            var map = ChannelMap.Find(model, input);
            var first = (Linear)model[0];
            using (no_grad())
            {
                first.weight!.narrow(0, 0, 6).zero_();
                first.bias!.copy_(Tensors.Of(Tensors.Normal(3, Width), type: type).abs());
            }

            using var pruner = new PdpPruner(model, new()
            {
                Epochs = 1,
                Sparsity = 0.5,
                Strategy = new PerChannel(),
                Channels = map,
                Schedule = new ConstantSparsity(),
                Temperature = temperature,
            });
            pruner.BeginEpoch(0);
            using (pruner.Mask())
                model.call(input).sum().mul(Tensors.Of([1e12], [1], type)).sum().backward();

            foreach (var (name, parameter) in model.named_parameters())
                Assert.All(parameter.grad!.Values(), value => Assert.True(double.IsFinite(value), $"{name} with {temperature}"));
            Assert.Contains(first.bias!.grad!.Values(), value => value != 0);
        }
    }

    private static void RequireFinite(string weights, ScalarType type, IMaskStrategy strategy, Temperature temperature, MaskForm form)
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(Width, Width, hasBias: false);
        layer.to(type);
        using (no_grad())
            layer.weight!.copy_(Weights(weights, type));
        using var pruner = new PdpPruner(layer, new()
        {
            Epochs = 1,
            Sparsity = 0.5,
            Strategy = strategy,
            Schedule = new ConstantSparsity(),
            Temperature = temperature,
        });
        var size = type == ScalarType.Float16 ? 10 : 1e25;
        pruner.BeginEpoch(0);
        using (pruner.Mask(form))
        {
            Assert.All(layer.weight.Values(), value => Assert.True(double.IsFinite(value)));
            layer.weight.grad = Tensors.Of([.. Tensors.Normal(4, Width * Width).Select(value => value * size)], [Width, Width], type);
        }

        Assert.All(layer.weight.grad!.Values(), value => Assert.True(double.IsFinite(value), $"{strategy.Name}, {temperature}, {form}"));
        Assert.All(pruner.Report().Layers, report => Assert.True(double.IsFinite(report.Leak) && report.Sharpness is null or >= 0));
    }

    private static Tensor Weights(string kind, ScalarType type)
    {
        var normal = Tensors.Normal(5, Width * Width);
        var smallest = type switch { ScalarType.Float64 => 2e-308, ScalarType.Float16 => 6e-5, _ => 1e-38 };
        return Tensors.Of(
            [
                .. normal.Select((value, i) => kind switch
                {
                    "zeros" => 0,
                    "ones" => Math.Sign(value),
                    "rows of zeros" => i / Width is 2 or 5 ? value : 0,
                    "nearly zeros" => i / Width is 2 or 5 ? value : value * 1e4 * smallest,
                    "one weight" => i == 11 ? value : 0,
                    "far apart" => value * Math.Pow(smallest, (i * 7 % 64 / 32.0) - 1) / (type == ScalarType.Float16 ? 10 : 1e4),
                    _ => value * smallest / 10,
                }),
            ],
            [Width, Width],
            type);
    }
}
