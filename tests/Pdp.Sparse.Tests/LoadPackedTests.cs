using Pdp.Benchmarks;
using Pdp.Samples.Tests;
using Pdp.Sparse.Files;
using Pdp.Sparse.Tests.Files;
using Pdp.Tests.Support;
using Pdp.Training;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Tests;

/// <summary>Models that a file is loaded into packed.</summary>
public sealed class LoadPackedTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly IDisposable _noGrad = no_grad();
    private readonly TorchSharp.Modules.Sequential _model = Nets.Convolutions();
    private readonly TorchSharp.Modules.Sequential _other = Nets.Blank();

    private string Path => _folder.File("model.safetensors");

    public void Dispose()
    {
        _model.Dispose();
        _other.Dispose();
        _noGrad.Dispose();
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Load_ByAPlan_GivesWhatTheSavedModelGivesAndItsWeights()
    {
        var (expected, weights, plan) = (_model.call(Nets.Picture()), Pruned.Bits(_model), PlanOf(_model));
        SparseFile.Save(_model, Path);

        var packed = SparseModel.Load(_other, Path, SparsePlan.FromJson(plan.ToJson()));

        Assert.Equal(plan.ToJson(), packed.Plan.ToJson());
        Assert.All(packed.Report.Layers, layer => Assert.Equal(
            (LayerForm.Packed, "by the plan", 0.6), (layer.Form, layer.Reason, Math.Round(layer.Sparsity, 1))));
        Assert.True(Pruned.IsClose(_other.call(Nets.Picture()), expected));
        packed.Unpack();
        Assert.Equal(weights, Pruned.Bits(_other));
    }

    [Fact]
    public void Load_OfAPlanForSomeLayers_LoadsTheOthersDense()
    {
        var (expected, weights) = (_model.call(Nets.Picture()), Pruned.Bits(_model));
        SparseFile.Save(_model, Path);

        using (var packed = SparseModel.Load(_other, Path, Weights.PlanOf(LayerForm.Packed)))
        {
            Assert.Equal([LayerForm.Dense, LayerForm.Packed, LayerForm.Dense], packed.Report.Layers.Select(layer => layer.Form));
            Assert.All(packed.Report.Layers, layer => Assert.Equal(0.6, Math.Round(layer.Sparsity, 1)));
            Assert.True(Pruned.IsClose(_other.call(Nets.Picture()), expected));
        }

        Assert.Equal(weights, Pruned.Bits(_other));
    }

    [HeapFact]
    public void Load_OfALargeModel_KeepsAFifthOfItsMemory()
    {
        using var model = Pruned.Prune(Large(), 0.9);
        using var other = Large();
        SparseFile.Save(model, Path);
        var plan = PlanOf(model, ones(1, 1024));
        SparseModel.Load(other, Path, plan).Dispose();
        var dense = 4L * other.parameters().Sum(parameter => parameter.numel());
        var before = Heap.InUse();

        using var packed = SparseModel.Load(other, Path, plan);

        Assert.InRange(Heap.InUse() - before, -dense, -0.8 * dense);
        Assert.InRange(packed.Report.Bytes / (double)packed.Report.DenseBytes, 0.1, 0.2);

        static TorchSharp.Modules.Sequential Large()
        {
            var large = Sequential(Linear(1024, 1024), ReLU(), Linear(1024, 1024));
            large.eval();
            return large;
        }
    }

    [Fact]
    public void Load_WhenALayerHasTwoNames_PacksItOnce()
    {
        var shared = Linear(8, 8);
        using var model = Pruned.Prune(Sequential(Sequential(shared, ReLU()), Sequential(shared)), 0.5);
        var twin = Linear(8, 8);
        using var other = Sequential(Sequential(twin, ReLU()), Sequential(twin));
        other.eval();
        var (input, plan) = (randn(3, 8), PlanOf(model, randn(3, 8)));
        SparseFile.Save(model, Path);

        using var packed = SparseModel.Load(other, Path, plan);

        Assert.Equal(LayerForm.Packed, Assert.Single(packed.Report.Layers).Form);
        Assert.True(Pruned.IsClose(other.call(input), model.call(input)));
    }

    [Theory]
    [InlineData("training")]
    [InlineData("no file")]
    [InlineData("another file")]
    [InlineData("damaged")]
    [InlineData("lying")]
    [InlineData("plan")]
    [InlineData("shape")]
    public void Load_WhenSomethingIsWrong_ChangesNothing(string fault)
    {
        var (before, plan) = (Pruned.Bits(_other), PlanOf(_model));
        SparseFile.Save(_model, Path);
        Spoil(fault);

        var thrown = Assert.ThrowsAny<Exception>(() => SparseModel.Load(_other, Path, fault switch
        {
            "plan" => new([.. plan.Layers, new() { Name = "9.weight", Shape = [1], Form = LayerForm.Packed }]),
            "shape" => new([plan.Layers[0] with { Shape = [3, 8, 3, 3] }]),
            _ => plan,
        }));

        Assert.IsType(fault switch
        {
            "training" => typeof(InvalidOperationException),
            "no file" => typeof(FileNotFoundException),
            "plan" or "shape" => typeof(ArgumentException),
            _ => typeof(InvalidDataException),
        }, thrown);
        Assert.Equal(before, Pruned.Bits(_other));
        Assert.All(_other.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    [Fact]
    public void Load_IntoAPackedModel_IsRefusedAndTheFirstStands()
    {
        SparseFile.Save(_model, Path);
        using var packed = SparseModel.Load(_other, Path, PlanOf(_model));

        Assert.Throws<InvalidOperationException>(() => SparseModel.Load(_other, Path, packed.Plan));

        Assert.True(Pruned.IsClose(_other.call(Nets.Picture()), _model.call(Nets.Picture())));
    }

    private static SparsePlan PlanOf(Module<Tensor, Tensor> model, Tensor? input = null)
    {
        using var packed = SparseModel.Pack(model, input ?? Nets.Picture(), Pruned.Everything);
        return packed.Plan;
    }

    private void Spoil(string fault)
    {
        switch (fault)
        {
            case "training": _other.train(); break;
            case "no file": File.Delete(Path); break;
            case "another file": Safetensors.Save(Path, _model.state_dict()); break;
            case "damaged": File.WriteAllBytes(Path, File.ReadAllBytes(Path)[..^9]); break;
            case "lying": Lie(); break;
        }
    }

    // The last packed tensor has a place that no value is for, and the hash is that of the lie.
    private void Lie()
    {
        var (stored, metadata) = (
            Safetensors.Load(Path), Safetensors.LoadMetadata(Path).Where(entry => entry.Key != "pdp.sha256").ToDictionary());
        var places = stored.Keys.Where(name => name.EndsWith(".bitmask", StringComparison.Ordinal)
            || name.EndsWith(".positions", StringComparison.Ordinal)).Max()!;
        stored[places].bytes[0] ^= 1;
        metadata["pdp.sha256"] = FileHash.Of(metadata, stored);
        Safetensors.Save(Path, stored, metadata);
    }
}
