using CsCheck;
using Pdp.Reporting;
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
        using var model = new Bag([.. tensors.Index().Select(pair => ($"t{pair.Index}", Bag.Random(pair.Item.Shape, pair.Item.Type, pair.Item.Sparsity, pair.Item.Seed)))]);
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

        Assert.Equal(StoredBytes.Of((int)weight.dim(), weight.numel(), nonzeros, width), SparseFile.BytesOf(weight));
        Assert.Equal(SparseFile.BytesOf(weight), Safetensors.Load(Path).Values.Sum(part => part.numel() * part.element_size()));
    }, count: 300);

    [Theory]
    [InlineData(0.0, "w")]
    [InlineData(0.5, "w.bitmask w.compressed w.shape")]
    [InlineData(0.7, "w.bitmask w.compressed w.shape")]
    [InlineData(0.8, "w.compressed w.positions w.shape")]
    [InlineData(0.99, "w.compressed w.positions w.shape")]
    [InlineData(1.0, "w.compressed w.positions w.shape")]
    public void Save_OfAWeight_ChoosesTheSmallestLayout(double sparsity, string expected)
    {
        using var model = new Bag(("w", Bag.Random([40, 50], ScalarType.Float32, sparsity, 1)));

        SparseFile.Save(model, Path);

        Assert.Equal(expected, string.Join(' ', Safetensors.Load(Path).Keys.Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void Save_OfTwoOfEveryFourInputs_HasThemInGroups()
    {
        using var model = new Bag(("conv", TwoOfFour(6, 8, 3, 3)), ("fc", TwoOfFour(10, 16)));

        SparseFile.Save(model, Path);

        var stored = Safetensors.Load(Path);
        Assert.Equal([6, 3, 3, 4], stored["conv.compressed"].shape);
        Assert.Equal([10, 8], stored["fc.compressed"].shape);
        Assert.Equal([10L * 16 / 8], stored["fc.indices"].shape);
        using var again = new Bag(("conv", ones(6, 8, 3, 3)), ("fc", ones(10, 16)));
        SparseFile.Load(again, Path);
        Assert.Equal(Bag.Contents(model), Bag.Contents(again));
    }

    [Theory]
    [InlineData(0.9, 8.4)]
    [InlineData(0.95, 16)]
    public void Save_OfAMillionWeights_IsSoMuchSmallerThanSafetensors(double sparsity, double atLeast)
    {
        using var model = new Bag(("weight", Unstructured(sparsity, 1000, 1000)));
        Safetensors.Save(_folder.File("dense"), model.state_dict());

        SparseFile.Save(model, Path);

        Assert.InRange(new FileInfo(_folder.File("dense")).Length / (double)new FileInfo(Path).Length, atLeast, double.PositiveInfinity);
    }

    [Theory]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float16)]
    public void Save_WithRoundedValues_RoundsWeightsAlone(ScalarType type)
    {
        var (weight, bias) = (Unstructured(0.5, 30, 40), Unstructured(0, 1, 40).reshape(40));
        using var model = new Bag(("weight", weight.clone()), ("dense", weight.add(ones(30, 40), 1.ToScalar())), ("bias", bias.clone()));

        SparseFile.Save(model, Path, new SparseFileOptions { Values = type });

        using var again = new Bag(("weight", zeros(30, 40)), ("dense", zeros(30, 40)), ("bias", zeros(40)));
        var result = SparseFile.Load(again, Path);
        Assert.Empty(result.Converted);
        Assert.Equal(Safetensors.Load(Path)["weight.compressed"].dtype, type);
        Assert.Equal(weight.to_type(type).to_type(ScalarType.Float32).bytes.ToArray(), again.get_buffer("weight")!.bytes.ToArray());
        Assert.NotEqual(weight.bytes.ToArray(), again.get_buffer("weight")!.bytes.ToArray());
        Assert.Equal(model.get_buffer("dense")!.to_type(type).to_type(ScalarType.Float32).bytes.ToArray(), again.get_buffer("dense")!.bytes.ToArray());
        Assert.Equal(bias.bytes.ToArray(), again.get_buffer("bias")!.bytes.ToArray());
    }

    [Fact]
    public void Save_WhenAWeightIsBeyondTheRangeOfItsType_SaysSoAndWritesNothing()
    {
        using var model = new Bag(("weight", tensor(new[] { 65_000f, 70_000f, float.PositiveInfinity }).reshape(1, 3)));

        var error = Assert.Throws<ArgumentException>(() => SparseFile.Save(model, Path, new SparseFileOptions { Values = ScalarType.Float16 }));

        Assert.Contains("'weight' has values beyond the range of Float16", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path));
        SparseFile.Save(model, Path, new SparseFileOptions { Values = ScalarType.BFloat16 });
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Int8)]
    public void Options_WhenTheTypeIsNotAHalf_AreRefused(ScalarType type)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => new SparseFileOptions { Values = type });

        Assert.Equal("Values", error.ParamName);
        Assert.Contains("{null, BFloat16, Float16}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("weight.shape", "'weight.shape'")]
    [InlineData("weight.indices", "'weight.indices'")]
    [InlineData("other.compressed", "'other.compressed'")]
    public void Save_WhenANameIsThatOfAPart_IsRefused(string name, string expected)
    {
        using var model = new Nested(name);

        var error = Assert.Throws<ArgumentException>(() => SparseFile.Save(model, Path));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path));
    }

    [Theory]
    [InlineData(true, 8000)]
    [InlineData(false, 2000)]
    public void Save_OfNegativeZeros_KeepsThemOnRequestAlone(bool keeps, long atMost)
    {
        var weight = Unstructured(0.5, 40, 50).neg().mul(Unstructured(0.9, 40, 50).ne(0.ToScalar()));
        using var model = new Bag(("weight", weight.clone()));

        SparseFile.Save(model, Path, new SparseFileOptions { KeepsNegativeZeros = keeps });

        using var again = new Bag(("weight", ones(40, 50)));
        SparseFile.Load(again, Path);
        var expected = keeps ? weight : weight.masked_fill(weight.eq(0.ToScalar()), 0.ToScalar());
        Assert.Equal(expected.bytes.ToArray(), again.get_buffer("weight")!.bytes.ToArray());
        Assert.InRange(new FileInfo(Path).Length, 1, atMost);
    }

    [Theory]
    [InlineData(LayerForm.Packed)]
    [InlineData(LayerForm.ChannelsLast)]
    [InlineData(LayerForm.Folded)]
    public void Save_OfAPackedModel_IsRefusedUntilItIsUnpacked(LayerForm form)
    {
        using var model = Nets.Convolutions();
        var before = Bag.Contents(model);
        using var packed = SparseModel.Pack(model, PlanOf(form));

        var error = Assert.Throws<InvalidOperationException>(() => SparseFile.Save(model, Path));

        Assert.Contains("'3.weight' has no dense values, as in a packed model: save it before Pack, or call Unpack()", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path));
        packed.Unpack();
        SparseFile.Save(model, Path);
        using var again = Nets.Convolutions();
        again.parameters().First().detach().zero_();
        SparseFile.Load(again, Path);
        Assert.Equal(before, Bag.Contents(again));
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

        using var packed = SparseModel.Pack(model, PlanOf(LayerForm.Packed));

        var error = Assert.Throws<InvalidOperationException>(() => isPlain ? Safetensors.LoadInto(model, Path) : SparseFile.Load(model, Path));

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
        using var packed = SparseModel.Pack(deployed, SparsePlan.FromJson(PlanOf(LayerForm.Packed).ToJson()));

        Assert.True(Pruned.IsClose(deployed.call(Nets.Picture()), expected));
        Assert.Null(packed.Report.GainOfZeros);
    }

    [Fact]
    public void Load_WhenDifferencesAreAllowed_TakesWhatFitsAndListsTheRest()
    {
        var weight = Unstructured(0.9, 40, 50);
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
        using var model = new Bag(("a", Unstructured(0.9, 40, 50)), ("b", Unstructured(0.9, 40, 50)), ("c", zeros(3)));
        SparseFile.Save(model, Path);
        using var other = new Bag(("a", ones(40, 49)), ("b", ones([40, 50], ScalarType.BFloat16)), ("c", ones(3)));
        var before = Bag.Contents(other);

        var error = Assert.Throws<InvalidDataException>(() => SparseFile.Load(other, Path));

        Assert.Equal($"'{Path}' does not fit the model: 'a' is Float32 [40, 50] where the model has Float32 [40, 49]; 'b' is Float32 [40, 50] where the model has BFloat16 [40, 50].", error.Message);
        Assert.Equal(before, Bag.Contents(other));
    }

    [Fact]
    public void Load_OfAModelWithNorms_KeepsItsParameters()
    {
        using var model = nn.Sequential(("conv", nn.Conv2d(3, 8, 3)), ("norm", nn.BatchNorm2d(8)), ("fc", nn.Linear(8, 40)));
        using (no_grad())
            model.get_parameter("fc.weight")!.copy_(Unstructured(0.9, 40, 8));
        using var again = nn.Sequential(("conv", nn.Conv2d(3, 8, 3)), ("norm", nn.BatchNorm2d(8)), ("fc", nn.Linear(8, 40)));
        var parameters = again.parameters().ToArray();
        SparseFile.Save(model, Path);

        SparseFile.Load(again, Path);

        Assert.Equal(Bag.Contents(model), Bag.Contents(again));
        Assert.Equal(parameters, again.parameters());
    }

    [Fact]
    public void Save_OfAModel_TellsVersionAndSparsity()
    {
        using var model = new Bag(("weight", Unstructured(0.9, 40, 50)), ("bias", ones(40)));

        SparseFile.Save(model, Path);

        var metadata = Safetensors.LoadMetadata(Path);
        Assert.True(SparseFile.Is(Path));
        Assert.Equal("1", metadata["pdp.sparse"]);
        Assert.Equal("0.9", metadata["pdp.sparsity"]);
        Assert.Matches(@"^\d+\.\d+\.\d+$", metadata["pdp.version"]);
        Assert.Matches("^[0-9a-f]{64}$", metadata["pdp.sha256"]);
    }

    [Fact]
    public void Save_OfTheSameModelTwice_WritesTheSameBytes()
    {
        using var model = new Bag(("weight", Unstructured(0.9, 40, 50)));
        SparseFile.Save(model, Path);
        var first = File.ReadAllBytes(Path);

        SparseFile.Save(model, Path);

        Assert.Equal(first, File.ReadAllBytes(Path));
    }

    [Fact]
    public void SaveAndLoad_LeaveNoTensorBehind()
    {
        _scope.Dispose();
        using var model = new Bag(("weight", Unstructured(0.9, 40, 50)), ("halves", TwoOfFour(10, 16)), ("bias", ones(40)));

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

    /// <summary>The second convolution in a form, the first one as it is.</summary>
    private static SparsePlan PlanOf(LayerForm form) =>
        new([new() { Name = "3.weight", Shape = [16, 8, 3, 3], Form = form, Norm = form == LayerForm.Folded ? "4" : null }]);

    private static Tensor Unstructured(double sparsity, params long[] shape)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(7);
        var values = randn(shape, generator: generator);
        var (kept, _) = values.abs().reshape(-1).topk((int)Math.Round((1 - sparsity) * values.numel()));
        return values.masked_fill(values.abs().lt(kept.min()), 0.ToScalar()).MoveToOuterDisposeScope();
    }

    private static Tensor TwoOfFour(params long[] shape)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(7);
        var inputsLast = rand([shape[0], .. shape[2..], shape[1]], generator: generator).add(ones(1), 1.ToScalar());
        var groups = inputsLast.reshape(-1, 4);
        var (_, places) = groups.topk(2, dim: 1);
        var kept = zeros_like(groups).scatter(1, places, ones_like(groups));
        return groups.mul(kept).reshape(inputsLast.shape).movedim([-1], [1]).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>A weight, and a tensor of a name that no field or buffer has, but a submodule's may.</summary>
    private sealed class Nested : nn.Module
    {
        public Nested(string name)
            : base(nameof(Nested))
        {
            register_buffer("weight", zeros(50, 50).DetachFromDisposeScope());
            Extra = (name, zeros(1).DetachFromDisposeScope());
        }

        private (string Name, Tensor Tensor) Extra { get; }

        public override Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null)
        {
            var state = base.state_dict(destination, prefix);
            state.Add(Extra.Name, Extra.Tensor);
            return state;
        }
    }
}
