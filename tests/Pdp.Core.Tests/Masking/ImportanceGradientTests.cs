using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Masking;

/// <summary>The equations on a·w, with autograd as the oracle, and magnitude as the case a = 1.</summary>
public sealed class ImportanceGradientTests
{
    private const double Ratio = 0.6;
    private const int Seed = 9;

    private static readonly PdpOptions Options =
        new() { Epochs = 4, Schedule = new OneShot { Epoch = 1 }, Temperature = Temperature.Relative(Ratio) };

    public static TheoryData<string, bool> Strategies => new()
    {
        { "unstructured", false }, { "2:4", false }, { "1x4", false }, { "4x1-l2", false }, { "channel", false }, { "channel", true },
    };

    [Theory]
    [MemberData(nameof(Strategies))]
    public void Scope_MasksAndCorrects_AsAutogradDoesWithSensitivitiesHeld(string strategy, bool isTransposed)
    {
        using var layer = isTransposed
            ? (Module<Tensor, Tensor>)ConvTranspose1d(8, 4, 3, bias: false) : Conv1d(4, 8, 3, padding: 1, bias: false);
        using var model = (Module<Tensor, Tensor>)Sequential(("layer", layer)).to(ScalarType.Float64);
        var weight = model.parameters().Single();
        Tensors.Fill(weight, Tensors.Normal(1, 96));
        var pattern = StrategyOf(strategy);
        using var pruner = new PdpPruner(model, Options with
        {
            Strategy = pattern,
            Sparsity = pattern.FixedSparsity is null ? 0.5 : null,
            Importance = GivenImportance.Random(Seed),
        });
        using var scope = NewDisposeScope();
        var input = Tensors.Of(Tensors.Normal(2, 2 * weight.shape[isTransposed ? 0 : 1] * 5), [2, weight.shape[isTransposed ? 0 : 1], 5]);
        Step(model, pruner, 0, input);

        var masked = Step(model, pruner, 1, input);

        var twin = weight.detach().clone().requires_grad_();
        var expected = Masked(twin, pattern, pruner.Masks[0]);
        (isTransposed ? functional.conv_transpose1d(input, expected) : functional.conv1d(input, expected, padding: 1))
            .pow(2).sum().backward();
        Close.Equal(expected.Values(), masked.Values(), Close.Float64, Close.Float64);
        Close.Equal(twin.grad!.Values(), weight.grad!.Values(), Close.Float64, 1e-11);
    }

    [Theory]
    [InlineData("unstructured", 1.0, ScalarType.Float64)]
    [InlineData("unstructured", 250.0, ScalarType.Float64)]
    [InlineData("2:4", 1e-3, ScalarType.Float64)]
    [InlineData("1x4", 3.0, ScalarType.Float64)]
    [InlineData("channel", 3.0, ScalarType.Float64)]
    [InlineData("groups", 1.0, ScalarType.Float64)]
    [InlineData("groups", 1e-3, ScalarType.Float64)]
    [InlineData("unstructured", 1e-20, ScalarType.Float64)]
    [InlineData("unstructured", 1e20, ScalarType.Float64)]
    [InlineData("2:4", 1e-20, ScalarType.Float64)]
    [InlineData("1x4", 1e-20, ScalarType.Float64)]
    [InlineData("channel", 1e-20, ScalarType.Float64)]
    [InlineData("groups", 1e-20, ScalarType.Float64)]
    [InlineData("groups", 1e20, ScalarType.Float64)]
    [InlineData("2:4", 1e-20, ScalarType.Float32)]
    [InlineData("2:4", 1e20, ScalarType.Float32)]
    [InlineData("channel", 1e-20, ScalarType.Float32)]
    [InlineData("2:4", 1e34, ScalarType.Float32)]
    [InlineData("channel", 1e34, ScalarType.Float32)]
    [InlineData("groups", 1e-20, ScalarType.Float32)]
    [InlineData("groups", 1e20, ScalarType.Float32)]
    [InlineData("unstructured", 1e-20, ScalarType.Float32)]
    [InlineData("unstructured", 1.0, ScalarType.Float32)]
    [InlineData("groups", 1.0, ScalarType.Float32)]
    public void Run_WithOneSensitivityForAll_IsThatOfMagnitude(string strategy, double sensitivity, ScalarType type)
    {
        var tolerance = type == ScalarType.Float64 ? 1e-10 : 1e-4;

        var (magnitude, withImportance) = (Trained(strategy, null, type), Trained(strategy, GivenImportance.Of(sensitivity), type));

        Assert.All(magnitude.Zip(withImportance), pair => Close.Equal(pair.First, pair.Second, tolerance, tolerance));
    }

    /// <summary>
    /// The weights and gradients of a small network after steps across the start of pruning, and those of the committed one.
    /// </summary>
    private static double[][] Trained(string strategy, IImportance? importance, ScalarType type)
    {
        using var model = TestModels.Cnn().to(type);
        using var scope = NewDisposeScope();
        var input = Tensors.Of(Tensors.Normal(3, 4 * 3 * 36), [4, 3, 6, 6], type);
        var pattern = StrategyOf(strategy);
        using var pruner = new PdpPruner(model, Options with
        {
            Strategy = pattern,
            Sparsity = pattern.FixedSparsity is null ? 0.5 : null,
            Channels = strategy == "groups" ? ChannelMap.Find(model, input) : null,
            Exclude = strategy == "groups" ? [] : ["fc", "conv1"],
            Importance = importance,
        });
        foreach (var epoch in (double[])[0, 0.5, 1, 1.5, 2, 3])
        {
            Step(model, pruner, epoch, input);
            TestModels.Step(model, 0.01);
        }

        Step(model, pruner, 3.5, input);
        double[][] trained = [.. model.parameters().SelectMany(parameter => new[] { parameter.Values(), parameter.grad!.Values() })];
        pruner.Commit();
        return [.. trained, .. model.parameters().Select(parameter => parameter.Values())];
    }

    /// <summary>A step without the optimizer's; returns the first weight as the forward pass saw it.</summary>
    private static Tensor Step(Module<Tensor, Tensor> model, PdpPruner pruner, double epoch, Tensor input)
    {
        pruner.BeginEpoch(epoch);
        model.zero_grad();
        using var mask = pruner.Mask();
        model.call(input).pow(2).sum().backward();
        return model.parameters().First().detach().clone();
    }

    /// <summary>σ((s − t²)/τ)·w by plain operations, with t and τ held.</summary>
    private static Tensor Masked(Tensor weight, IMaskStrategy strategy, PdpMask mask)
    {
        var layout = mask.Layout;
        var sensitivity = Tensors.Of(GivenImportance.ValuesOf(Seed, weight.numel()), weight.shape);
        var competing = weight.mul(sensitivity);
        var score = strategy.Sum(competing.mul(competing), layout).mul(strategy.ScoreSlope(layout));
        var sorted = score.detach().sqrt().sort(1).Values;
        var threshold = (sorted.narrow(1, mask.Removed - 1, 1) + sorted.narrow(1, mask.Removed, 1)) / 2;
        var square = threshold * threshold;
        return strategy.Spread(((score - square) / (square * Ratio)).sigmoid(), layout).mul(weight);
    }

    private static IMaskStrategy StrategyOf(string name) => name switch
    {
        "2:4" => NofM.Keep(2, of: 4),
        "1x4" => new Block(1, 4),
        "4x1-l2" => new Block(4, 1) { Score = ScoreNorm.L2 },
        "channel" or "groups" => new PerChannel(),
        _ => new Unstructured(),
    };
}
