using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

/// <summary>A user's own method in the place of PDP's masks.</summary>
public sealed class PdpPrunerMethodTests
{
    [Fact]
    public void AMethod_MayHoldAModelTensorsAndFunctions()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options(new Half(model)));

        Assert.Equal(3, pruner.Masks.Count);
    }

    [Fact]
    public void ATargetThatCannotBeMet_DisposesTheRun()
    {
        using var model = TestModels.Mlp();
        var method = new Half(model);

        Assert.Throws<ArgumentException>(() => new PdpPruner(model, Options(method) with { Sparsity = 0.9, MaximumLayerSparsity = 0.5 }));

        Assert.Equal([3], method.Disposals);
    }

    [Fact]
    public void AMethodThatRefuses_LeavesItsReason()
    {
        using var model = TestModels.Mlp();

        Assert.Throws<InvalidTimeZoneException>(() => new PdpPruner(model, Options(new Half(model) { Refuses = true })));
    }

    [Fact]
    public void AMethod_BesideAnImportanceOrATemperature_IsRefused()
    {
        using var model = TestModels.Mlp();
        var options = Options(new Half(model));

        var important = Assert.Throws<ArgumentException>(() => new PdpPruner(model, options with { Importance = new Taylor() }));
        var soft = Assert.Throws<ArgumentException>(
            () => new PdpPruner(model, options with { GradientTemperature = Temperature.Relative(1) }));

        Assert.StartsWith(
            "half ranks weights in its own way: leave PdpOptions.Importance unset", important.Message, StringComparison.Ordinal);
        Assert.StartsWith("half has no soft mask: leave the temperatures", soft.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AScope_LeavesNoMaskedCopyBehind()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options(new Half(model)));
        pruner.BeginEpoch(0);
        Leaks.ForgetGarbage();
        var before = Tensor.TotalCount;

        TestModels.Train(model, pruner, 0, seed: 1, learningRate: 0);

        // Each pruned weight has its dense copy.
        Assert.Equal(before + 3, Tensor.TotalCount);
    }

    [Fact]
    public void AMethod_SetsTheCountsOfItsOwnLayers()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options(new Half(model) { Removes = 3 }));

        pruner.BeginEpoch(0);

        Assert.All(pruner.Masks, mask => Assert.Equal(3, mask.Removed));
    }

    [Fact]
    public void AMask_OfAPruner_IsReadOnlyForUsers()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, new() { Sparsity = 0.5, Epochs = 1, Schedule = new ConstantSparsity() });
        pruner.BeginEpoch(0);
        var removed = pruner.Masks[0].Removed;

        var advance = Assert.Throws<InvalidOperationException>(() => pruner.Masks[0].Advance(0.1, epoch: 0));
        var layer = Assert.Throws<InvalidOperationException>(() => new MethodLayer(pruner.Masks[0], null));

        Assert.Contains("BeginEpoch(epoch)", advance.Message, StringComparison.Ordinal);
        Assert.Contains("'first.weight'", layer.Message, StringComparison.Ordinal);
        Assert.Null(typeof(PdpMask).GetMethod("Remove"));
        Assert.Equal((removed, 0.5), (pruner.Masks[0].Removed, pruner.Sparsity));
    }

    private static PdpOptions Options(IPruningMethod method) =>
        new() { Method = method, Sparsity = 0.5, Epochs = 1, Schedule = new ConstantSparsity(), Allocation = new UniformSparsity() };

    /// <summary>ŵ = M·w with the larger half of w, with properties that can't be written as text.</summary>
    private sealed record Half(Module Model) : IPruningMethod
    {
        public string Name => "half";

        public Tensor First => Model.parameters().First();

        public Func<Tensor> Forward => () => First;

        public List<int> Disposals { get; } = [];

        public bool Refuses { get; init; }

        public long? Removes { get; init; }

        public PdpOptions Configure(PdpOptions options) => options;

        public IMethodRun Attach(IReadOnlyList<MethodLayer> layers) =>
            Refuses ? throw new InvalidTimeZoneException() : new Run(layers, Disposals, Removes);

        private sealed class Run(IReadOnlyList<MethodLayer> layers, List<int> disposals, long? removes) : IMethodRun
        {
            public IReadOnlyList<NamedParameter> Parameters => [];

            public void Begin(double epoch)
            {
                foreach (var layer in removes is null ? [] : layers)
                    layer.Remove(removes!.Value);
            }

            public Tensor Forward(int layer, Tensor weight) => weight.mul(layers[layer].Mask.Kept(weight));

            public Tensor Backward(int layer, Tensor weight, Tensor upstream) => upstream.clone();

            public Tensor Kept(int layer, Tensor weight) => layers[layer].Mask.Kept(weight).reshape(1, -1);

            public void Dispose() => disposals.Add(layers.Count);
        }
    }
}
