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
}
