using Pdp.Samples.Tests;
using Pdp.Tests.Support;
using Pdp.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Sparse.Tests.Files;

/// <summary>Loads files into models that they fit, and that they don't.</summary>
public sealed class SparseFileLoadTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    private string Path => _folder.File("model.sparse.safetensors");

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Load_IntoAPackedModel_IsRefusedAndChangesNothing(bool isPlain)
    {
        using var model = Nets.Convolutions();
        var before = Bag.Contents(model);
        using (var other = Nets.Convolutions())
        {
            other.parameters().First().detach().zero_();
            if (isPlain)
                Safetensors.Save(Path, other.state_dict());
            else
                SparseFile.Save(other, Path);
        }

        using var packed = SparseModel.Pack(model, Weights.PlanOf(LayerForm.Packed));

        var error = Assert.Throws<InvalidOperationException>(
            () => isPlain ? Safetensors.LoadInto(model, Path) : SparseFile.Load(model, Path));

        Assert.Contains("'3.weight' of the model has no dense values to load into", error.Message, StringComparison.Ordinal);
        Assert.Contains("Unpack()", error.Message, StringComparison.Ordinal);
        packed.Unpack();
        Assert.Equal(before, Bag.Contents(model));
    }

    [Fact]
    public void Load_ThenPackByAPlan_RunsWithoutTiming()
    {
        using var noGrad = no_grad();
        using var model = Nets.Convolutions();
        using var deployed = Nets.Convolutions();
        deployed.parameters().First().detach().zero_();
        var expected = model.call(Nets.Picture());
        SparseFile.Save(model, Path);

        SparseFile.Load(deployed, Path);
        using var packed = SparseModel.Pack(deployed, SparsePlan.FromJson(Weights.PlanOf(LayerForm.Packed).ToJson()));

        Assert.True(Pruned.IsClose(deployed.call(Nets.Picture()), expected));
        Assert.Null(packed.Report.SparsitySpeedup);
    }

    [Fact]
    public void Load_OfPackedNumbersThatAreTooLargeForTheModel_IsRefusedAndChangesNothing()
    {
        var weight = Weights.Unstructured(0.9, 40, 50);
        weight[3, 4] = tensor(70_000f);
        using var model = new Bag(("weight", weight));
        using var other = new Bag(("weight", ones([40, 50], ScalarType.Float16)));
        var before = Bag.Contents(other);
        SparseFile.Save(model, Path);

        var error = Assert.Throws<InvalidDataException>(() => SparseFile.Load(other, Path, new LoadOptions { AllowConversion = true }));

        Assert.Equal($"'{Path}' does not fit the model: 'weight' holds numbers that are too large for Float16.", error.Message);
        Assert.Equal(before, Bag.Contents(other));
    }

    [Fact]
    public void Load_IntoAModelThatTiesWhatDiffersInTheFile_IsRefusedAndChangesNothing()
    {
        var (weight, unlike) = (Weights.Unstructured(0.9, 40, 50), Weights.Unstructured(0.9, 40, 50));
        unlike[3, 4] = tensor(0.5f);
        using var apart = new Pair(weight, unlike);
        using var tied = new Pair(ones(40, 50));
        var before = Bag.Contents(tied);
        SparseFile.Save(apart, Path);

        var error = Assert.Throws<InvalidDataException>(() => SparseFile.Load(tied, Path));
        var unchanged = Bag.Contents(tied);
        using (var alike = nn.Sequential(("first", nn.Linear(50, 40, hasBias: false))))
        {
            alike.parameters().Single().detach().copy_(weight);
            SparseFile.Save(alike, Path);
        }

        var result = SparseFile.Load(tied, Path);

        Assert.Equal(
            $"'{Path}' does not fit the model: 'first.weight' and 'second.weight' have different values, and are one tensor in the model.",
            error.Message);
        Assert.Equal(before, unchanged);
        Assert.Empty(result.Missing);
        Assert.Equal(weight.bytes.ToArray(), tied.state_dict()["second.weight"].bytes.ToArray());
    }

    [Fact]
    public void Load_WhenDifferencesAreAllowed_TakesWhatFitsAndListsTheRest()
    {
        var weight = Weights.Unstructured(0.9, 40, 50);
        using var model = new Bag(("a", weight.clone()), ("b", weight.clone()), ("c", weight.clone()));
        SparseFile.Save(model, Path);
        using var other = new Bag(("a", ones(40, 50)), ("b", ones([40, 50], ScalarType.BFloat16)), ("d", ones(3)));

        var result = SparseFile.Load(other, Path, new LoadOptions { AllowMissing = true, AllowUnexpected = true, AllowConversion = true });

        Assert.Equal(["d"], result.Missing);
        Assert.Equal(["c"], result.Unexpected);
        Assert.Equal(["b"], result.Converted);
        Assert.Equal(weight.bytes.ToArray(), other.get_buffer("a")!.bytes.ToArray());
        Assert.Equal(weight.to_type(ScalarType.BFloat16).bytes.ToArray(), other.get_buffer("b")!.bytes.ToArray());
    }

    [Fact]
    public void Load_WhenTheFileDoesNotFit_SaysAllAndChangesNothing()
    {
        using var model = new Bag(("a", Weights.Unstructured(0.9, 40, 50)), ("b", Weights.Unstructured(0.9, 40, 50)), ("c", zeros(3)));
        SparseFile.Save(model, Path);
        using var other = new Bag(("a", ones(40, 49)), ("b", ones([40, 50], ScalarType.BFloat16)), ("c", ones(3)));
        var before = Bag.Contents(other);

        var error = Assert.Throws<InvalidDataException>(() => SparseFile.Load(other, Path));

        Assert.Equal($"'{Path}' does not fit the model: 'a' is Float32 [40, 50] where the model has Float32 [40, 49]; 'b' is Float32 [40, "
            + "50] where the model has BFloat16 [40, 50].", error.Message);
        Assert.Equal(before, Bag.Contents(other));
    }

    [Fact]
    public void Load_OfAModelWithNorms_KeepsItsParameters()
    {
        using var model = nn.Sequential(("conv", nn.Conv2d(3, 8, 3)), ("norm", nn.BatchNorm2d(8)), ("fc", nn.Linear(8, 40)));
        using (no_grad())
            model.get_parameter("fc.weight")!.copy_(Weights.Unstructured(0.9, 40, 8));
        using var again = nn.Sequential(("conv", nn.Conv2d(3, 8, 3)), ("norm", nn.BatchNorm2d(8)), ("fc", nn.Linear(8, 40)));
        var parameters = again.parameters().ToArray();
        SparseFile.Save(model, Path);

        SparseFile.Load(again, Path);

        Assert.Equal(Bag.Contents(model), Bag.Contents(again));
        Assert.Equal(parameters, again.parameters());
    }

    /// <summary>Two layers, of one weight if the second isn't given.</summary>
    private sealed class Pair : nn.Module
    {
        public Pair(Tensor first, Tensor? second = null)
            : base(nameof(Pair))
        {
            using var noGrad = no_grad();
            (First, Second) = (nn.Linear(50, 40, hasBias: false), nn.Linear(50, 40, hasBias: false));
            First.weight!.copy_(first);
            if (second is null)
                Second.weight = First.weight;
            else
                Second.weight!.copy_(second);
            register_module("first", First);
            register_module("second", Second);
        }

        private TorchSharp.Modules.Linear First { get; }

        private TorchSharp.Modules.Linear Second { get; }
    }
}
