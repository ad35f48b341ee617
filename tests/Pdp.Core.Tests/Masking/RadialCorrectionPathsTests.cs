using Pdp.Masking;
using Pdp.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Masking;

/// <summary>The corrected gradient on the ways that scopes take: memory in pieces, tensor operations, batches, channels.</summary>
public sealed class RadialCorrectionPathsTests
{
    private static readonly Temperature Masks = Temperature.Relative(0.1);
    private static readonly Temperature Corrected = Temperature.Relative(0.4).WithRadialCorrection();

    [Theory]
    [InlineData("unstructured", 1)]
    [InlineData("unstructured", 3)]
    [InlineData("3:4", 1)]
    [InlineData("3:4", 3)]
    public void Scope_OverWeightsOfManyPieces_GivesWhatTensorOperationsGive(string strategy, int threads)
    {
        set_num_threads(threads);
        try
        {
            var (alone, expected) = (Large(strategy, ScalarType.Float32), Large(strategy, ScalarType.Float64));
            set_num_threads(1);
            var single = Large(strategy, ScalarType.Float32);

            Close.Equal(expected, alone, 1e-4, 1e-5);
            Assert.Equal(single, alone);
        }
        finally
        {
            set_num_threads(1);
        }
    }

    [Theory]
    [InlineData("unstructured", ScalarType.Float64)]
    [InlineData("unstructured", ScalarType.BFloat16)]
    [InlineData("2:4", ScalarType.Float64)]
    [InlineData("3:8", ScalarType.BFloat16)]
    public void Batch_OfManyWeights_GivesWhatEachGivesAlone(string strategy, ScalarType type)
    {
        var (expected, actual) = (Layers(strategy, type), Layers(strategy, type));
        using var alone = new MaskedModel(expected, []);
        using var together = BatchLayers.Batched(actual);
        foreach (var model in (MaskedModel[])[alone, together])
            model.Advance(1, 0);

        var gradients = BatchLayers.Step(alone).Gradients;
        var batched = BatchLayers.Step(together).Gradients;

        foreach (var (one, other) in gradients.Zip(batched))
            Close.Equal(one, other, type == ScalarType.Float64 ? 1e-11 : 2 * Close.BFloat16, 1e-12);
    }

    [Theory]
    [InlineData(nameof(Mlp))]
    [InlineData(nameof(PaddedResNet))]
    [InlineData(nameof(GroupedNet))]
    public void Scope_OfChannelsThatBelongTogether_GivesWhatTensorOperationsGive(string name)
    {
        using var scope = NewDisposeScope();
        var (expected, actual) = (Groups(name, ScalarType.Float64), Groups(name, ScalarType.Float32));

        Close.Equal(expected, actual, 1e-4, 1e-5);
    }

    [Theory]
    [InlineData("unstructured")]
    [InlineData("2:4")]
    public void Batch_OfWeightsOfOtherScales_CorrectsEach(string strategy)
    {
        var (expected, actual) = (Layers(strategy, ScalarType.BFloat16), Layers(strategy, ScalarType.BFloat16));
        using var alone = new MaskedModel(expected, []);
        using var together = BatchLayers.Batched(actual);
        foreach (var model in (MaskedModel[])[alone, together])
        {
            using var _ = no_grad();
            using var scale = 1e-30.ToScalar();
            BatchLayers.Weight(model.Layers[1]).mul_(scale);
            model.Advance(1, 0);
        }

        foreach (var (one, other) in BatchLayers.Step(alone).Gradients.Zip(BatchLayers.Step(together).Gradients))
            Close.Equal(one, other, 2 * Close.BFloat16, 1e-12);
    }

    [Theory]
    [InlineData("unstructured")]
    [InlineData("2:4")]
    [InlineData("channel")]
    public void Scope_WithoutAGradientAfterOneWithIt_GivesNone(string strategy)
    {
        using var layer = Linear(16, 8, hasBias: false);
        using var pruner = new PdpPruner(layer, Options(strategy switch
        {
            "2:4" => NofM.Keep(2, of: 4),
            "channel" => new PerChannel(),
            _ => new Unstructured(),
        }));
        pruner.BeginEpoch(0);
        using (pruner.Mask())
            layer.weight!.sum().backward();
        layer.zero_grad();
        layer.weight!.grad = null;

        pruner.Mask().Dispose();

        Assert.Null(layer.weight.grad);
    }

    [Fact]
    public void Scope_WithAHardForm_LeavesRemovedWeightsWithoutAGradient()
    {
        using var layer = Linear(16, 8, hasBias: false);
        using var pruner = new PdpPruner(layer, Options(new Unstructured()));
        pruner.BeginEpoch(0);
        using (pruner.Mask(MaskForm.Folded))
            layer.weight!.sum().backward();

        using var kept = pruner.Masks[0].Kept(layer.weight!);
        Assert.All(kept.to_type(ScalarType.Float64).Values().Zip(layer.weight!.grad!.Values()),
            pair => Assert.Equal(pair.First == 0, pair.Second == 0));
    }

    private static double[] Large(string strategy, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(516, 501, hasBias: false);
        layer.to(type);
        Tensors.Fill(layer.weight!, [.. Tensors.Normal(1, 516 * 501).Select(value => (double)(float)value)]);
        using var pruner = new PdpPruner(layer, Options(strategy == "3:4" ? NofM.Keep(3, of: 4) : new Unstructured()));
        pruner.BeginEpoch(0);
        using (pruner.Mask())
            layer.weight!.grad = Tensors.Of(Tensors.Normal(2, 516 * 501), [501, 516], ScalarType.Float32).to_type(type);
        return layer.weight.grad!.Values();
    }

    private static double[] Groups(string name, ScalarType type)
    {
        using var model = Zoo.Get(name).Make(type: type);
        Parameter[] parameters = [.. model.parameters()];
        foreach (var (i, parameter) in parameters.Index())
            Tensors.Fill(parameter, [.. Tensors.Normal(100 + i, parameter.numel()).Select(value => (double)(float)value)]);
        using var pruner = new PdpPruner(model, Options(new PerChannel()) with { Channels = ZooMaps.Of(name) });
        pruner.BeginEpoch(0);
        using (pruner.Mask())
        {
            foreach (var (i, parameter) in parameters.Index())
                parameter.grad = Tensors.Of(Tensors.Normal(i, parameter.numel()), parameter.shape, parameter.dtype);
        }

        return [.. parameters.SelectMany(parameter => parameter.grad!.Values())];
    }

    private static PrunedLayer[] Layers(string strategy, ScalarType type)
    {
        var pattern = strategy == "unstructured" ? (IMaskStrategy)new Unstructured() : NofM.Parse(strategy);
        return
        [
            .. ((long[][])[[8, 16], [4, 8, 3, 3], [33, 24], [2, 8]]).Index().Select(shape => BatchLayers.Layer(
                $"{shape.Index}", shape.Item, pattern, type, Masks, Corrected, target: null, values: null)),
        ];
    }

    private static PdpOptions Options(IMaskStrategy strategy) => new()
    {
        Epochs = 1,
        Sparsity = strategy.FixedSparsity is null ? 0.5 : null,
        Strategy = strategy,
        Schedule = new ConstantSparsity(),
        Temperature = Masks,
        GradientTemperature = Corrected,
    };
}
