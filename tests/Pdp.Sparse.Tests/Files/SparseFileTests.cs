using CsCheck;
using Pdp.Reporting;
using Pdp.Samples.Cifar10;
using Pdp.Samples.Tests;
using Pdp.Sparse.Files;
using Pdp.Tests.Support;
using Pdp.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Sparse.Tests.Files;

public sealed class SparseFileTests : IDisposable
{
    private static readonly ScalarType[] Types =
    [
        ScalarType.Float32, ScalarType.Float64, ScalarType.Float16, ScalarType.BFloat16, ScalarType.Int64, ScalarType.Int32,
        ScalarType.Int16, ScalarType.Int8, ScalarType.Byte, ScalarType.Bool,
    ];

    private static readonly double[] Sparsities = [0, 0.3, 0.5, 0.8, 0.9, 0.99, 1];

    private static readonly Gen<(long[] Shape, ScalarType Type, double Sparsity, int Seed)> Tensors =
        from shape in Gen.Long[0, 17].Array[0, 4]
        from type in Gen.Int[0, Types.Length - 1].Select(i => Types[i])
        from sparsity in Gen.Int[0, Sparsities.Length - 1].Select(i => Sparsities[i])
        from seed in Gen.Int[0, 1000]
        select (shape, type, sparsity, seed);

    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    private string Path => _folder.File("model.sparse.safetensors");

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Load_OfWhatWasSaved_RestoresEveryBit() => Law.Holds(Tensors.Array[1, 4], tensors =>
    {
        using var model = new Bag([.. tensors.Index().Select(
            pair => ($"t{pair.Index}", Bag.Random(pair.Item.Shape, pair.Item.Type, pair.Item.Sparsity, pair.Item.Seed)))]);
        using var again = new Bag([.. tensors.Index().Select(pair => ($"t{pair.Index}", ones(pair.Item.Shape, pair.Item.Type)))]);

        SparseFile.Save(model, Path);
        var result = SparseFile.Load(again, Path);

        Assert.Equal(Bag.Contents(model), Bag.Contents(again));
        Assert.Empty(result.Missing.Concat(result.Unexpected).Concat(result.Converted));
    }, count: 200);

    [Fact]
    public void Save_OfAnyTensor_TakesTheBytesThatTheCoreSays() => Law.Holds(Tensors, tensor =>
    {
        using var scope = NewDisposeScope();
        using var model = new Bag(("t", Bag.Random(tensor.Shape, tensor.Type, tensor.Sparsity, tensor.Seed)));
        var weight = model.get_buffer("t")!;
        var width = (int)weight.element_size();
        var nonzeros = weight.numel() == 0 ? 0 : Bitmask.Count(Bitmask.Of(weight.bytes, width));

        SparseFile.Save(model, Path);

        Assert.Equal(StoredBytes.Of(weight.numel(), nonzeros, width), SparseFile.BytesOf(weight));
        Assert.Equal(SparseFile.BytesOf(weight), Safetensors.Load(Path).Values.Sum(part => part.numel() * part.element_size()));
    }, count: 300);

    [Theory]
    [InlineData(0.0, "w")]
    [InlineData(0.5, "w.bitmask w.compressed")]
    [InlineData(0.7, "w.bitmask w.compressed")]
    [InlineData(0.8, "w.compressed w.positions")]
    [InlineData(0.99, "w.compressed w.positions")]
    [InlineData(1.0, "w.compressed w.positions")]
    public void Save_OfAWeight_ChoosesTheSmallestLayout(double sparsity, string expected)
    {
        using var model = new Bag(("w", Bag.Random([40, 50], ScalarType.Float32, sparsity, 1)));

        SparseFile.Save(model, Path);

        Assert.Equal(expected, string.Join(' ', Safetensors.Load(Path).Keys.Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void Save_OfTwoOfEveryFourInputs_HasThemInGroups()
    {
        using var model = new Bag(("conv", Weights.TwoOfFour(6, 8, 3, 3)), ("fc", Weights.TwoOfFour(10, 16)));

        SparseFile.Save(model, Path);

        var stored = Safetensors.Load(Path);
        Assert.Equal([6, 3, 3, 4], stored["conv.compressed"].shape);
        Assert.Equal([10, 8], stored["fc.compressed"].shape);
        Assert.Equal([10L * 16 / 8], stored["fc.indices"].shape);
        using var again = new Bag(("conv", ones(6, 8, 3, 3)), ("fc", ones(10, 16)));
        SparseFile.Load(again, Path);
        Assert.Equal(Bag.Contents(model), Bag.Contents(again));
    }

    [Fact]
    public void Save_OfVectors_PutsThoseOfATypeIntoOneBlock()
    {
        using var model = new Bag(
            ("weight", ones(2, 2)), ("b", tensor([3f, 4f])), ("a", tensor(2f)), ("steps", tensor(5L)), ("B", tensor([1f])));

        SparseFile.Save(model, Path);

        var (stored, metadata) = (Safetensors.Load(Path), Safetensors.LoadMetadata(Path));
        Assert.Equal(["pdp.F32", "pdp.I64", "weight"], stored.Keys.Order(StringComparer.Ordinal));
        Assert.Equal([1f, 2, 3, 4], stored["pdp.F32"].data<float>().ToArray());
        Assert.Equal(("F32 1", "F32", "F32 2", "I64"), (metadata["B"], metadata["a"], metadata["b"], metadata["steps"]));
    }

    [Theory]
    [InlineData(0.9, 7.5)]
    [InlineData(0.95, 13)]
    public void Save_OfASmallResNet_IsSoMuchSmallerThanSafetensors(double sparsity, double atLeast)
    {
        using var noGrad = no_grad();
        using var model = new ResNet20();
        foreach (var tensor in model.state_dict().Values.Where(tensor => tensor.is_floating_point()))
            tensor.copy_(Weights.Unstructured(tensor.dim() < 2 ? 0 : sparsity, tensor.shape));
        Safetensors.Save(_folder.File("dense"), model.state_dict());

        SparseFile.Save(model, Path);

        Assert.InRange(new FileInfo(_folder.File("dense")).Length / (double)new FileInfo(Path).Length, atLeast, double.PositiveInfinity);
    }

    [Theory]
    [InlineData(0.9, 8.4)]
    [InlineData(0.95, 16)]
    public void Save_OfAMillionWeights_IsSoMuchSmallerThanSafetensors(double sparsity, double atLeast)
    {
        using var model = new Bag(("weight", Weights.Unstructured(sparsity, 1000, 1000)));
        Safetensors.Save(_folder.File("dense"), model.state_dict());

        SparseFile.Save(model, Path);

        Assert.InRange(new FileInfo(_folder.File("dense")).Length / (double)new FileInfo(Path).Length, atLeast, double.PositiveInfinity);
    }

    [Theory]
    [InlineData("weight.bitmask", "'weight.bitmask'")]
    [InlineData("weight.indices", "'weight.indices'")]
    [InlineData("other.compressed", "'other.compressed'")]
    [InlineData("pdp.F32", "'pdp.F32'")]
    public void Save_WhenANameIsThatOfAPartOrTheFilesOwn_IsRefused(string name, string expected)
    {
        using var model = new Nested(name);

        var error = Assert.Throws<ArgumentException>(() => SparseFile.Save(model, Path));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path));
    }

    [Theory]
    [InlineData(LayerForm.Packed)]
    [InlineData(LayerForm.ChannelsLast)]
    [InlineData(LayerForm.Folded)]
    public void Save_OfAPackedModel_IsRefusedUntilItIsUnpacked(LayerForm form)
    {
        using var model = Nets.Convolutions();
        var before = Bag.Contents(model);
        using var packed = SparseModel.Pack(model, Weights.PlanOf(form));

        var error = Assert.Throws<InvalidOperationException>(() => SparseFile.Save(model, Path));

        Assert.Contains(
            "'3.weight' has no dense values, as in a packed model: save it before Pack, or call Unpack()",
            error.Message,
            StringComparison.Ordinal);
        Assert.False(File.Exists(Path));
        packed.Unpack();
        SparseFile.Save(model, Path);
        using var again = Nets.Convolutions();
        again.parameters().First().detach().zero_();
        SparseFile.Load(again, Path);
        Assert.Equal(before, Bag.Contents(again));
    }

    [Fact]
    public void Save_OfAModel_TellsVersionAndSparsity()
    {
        using var model = new Bag(("weight", Weights.Unstructured(0.9, 40, 50)), ("bias", ones(40)));

        SparseFile.Save(model, Path);

        var metadata = Safetensors.LoadMetadata(Path);
        Assert.True(SparseFile.Recognizes(Path));
        Assert.Equal("1", metadata["pdp.sparse"]);
        Assert.Equal("0.9", metadata["pdp.sparsity"]);
        Assert.Matches(@"^\d+\.\d+\.\d+$", metadata["pdp.version"]);
        Assert.Matches("^[0-9a-f]{64}$", metadata["pdp.sha256"]);
    }

    [Fact]
    public void Save_OfTheSameModelTwice_WritesTheSameBytes()
    {
        using var model = new Bag(("weight", Weights.Unstructured(0.9, 40, 50)));
        SparseFile.Save(model, Path);
        var first = File.ReadAllBytes(Path);

        SparseFile.Save(model, Path);

        Assert.Equal(first, File.ReadAllBytes(Path));
    }

    [Fact]
    public void SaveAndLoad_LeaveNoTensorBehind()
    {
        _scope.Dispose();
        using var model = new Bag(("weight", Weights.Unstructured(0.9, 40, 50)), ("halves", Weights.TwoOfFour(10, 16)), ("bias", ones(40)));

        Leaks.None(() =>
        {
            SparseFile.Save(model, Path, new SparseFileOptions { Values = ScalarType.BFloat16 });
            SparseFile.Load(model, Path);
        });
    }

    [Fact]
    public void Arguments_WhenNull_AreRefused()
    {
        using var model = new Bag();

        Assert.Throws<ArgumentNullException>(() => SparseFile.Save(null!, Path));
        Assert.Throws<ArgumentNullException>(() => SparseFile.Save(model, null!));
        Assert.Throws<ArgumentNullException>(() => SparseFile.Load(null!, Path));
        Assert.Throws<ArgumentNullException>(() => SparseFile.Load(model, null!));
        Assert.Throws<ArgumentNullException>(() => SparseFile.Load(model, Path, null!));
        Assert.Throws<FileNotFoundException>(() => SparseFile.Load(model, Path));
    }
}
