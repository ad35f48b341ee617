using Pdp.Samples.Tests;
using Pdp.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Sparse.Tests.Files;

/// <summary>Files of rounded values, and of negative zeros.</summary>
public sealed class SparseFileOptionsTests : IDisposable
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
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float16)]
    public void Save_WithRoundedValues_RoundsWeightsAlone(ScalarType type)
    {
        var (weight, bias) = (Weights.Unstructured(0.5, 30, 40), Weights.Unstructured(0, 1, 40).reshape(40));
        using var model = new Bag(("weight", weight.clone()), ("dense", weight.add(ones(30, 40), 1.ToScalar())), ("bias", bias.clone()));

        SparseFile.Save(model, Path, new SparseFileOptions { Values = type });

        using var again = new Bag(("weight", zeros(30, 40)), ("dense", zeros(30, 40)), ("bias", zeros(40)));
        var result = SparseFile.Load(again, Path);
        Assert.Empty(result.Converted);
        Assert.Equal(Safetensors.Load(Path)["weight.compressed"].dtype, type);
        Assert.Equal(weight.to_type(type).to_type(ScalarType.Float32).bytes.ToArray(), again.get_buffer("weight")!.bytes.ToArray());
        Assert.NotEqual(weight.bytes.ToArray(), again.get_buffer("weight")!.bytes.ToArray());
        Assert.Equal(model.get_buffer("dense")!.to_type(type)
            .to_type(ScalarType.Float32).bytes.ToArray(), again.get_buffer("dense")!.bytes.ToArray());
        Assert.Equal(bias.bytes.ToArray(), again.get_buffer("bias")!.bytes.ToArray());
    }

    [Theory]
    [InlineData(ScalarType.Float32, ScalarType.Float64)]
    [InlineData(ScalarType.Float16, ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16, ScalarType.Float64)]
    public void Load_IntoAModelOfAWiderType_IsRefusedUnlessConversionIsAllowed(ScalarType saved, ScalarType wider)
    {
        using var model = new Bag(("weight", Weights.Unstructured(0.5, 30, 40).to_type(saved)), ("bias", ones(3, saved)));
        using var other = new Bag(("weight", ones([30, 40], wider)), ("bias", ones(3, wider)));
        var before = Bag.Contents(other);
        SparseFile.Save(model, Path);

        var error = Assert.Throws<InvalidDataException>(() => SparseFile.Load(other, Path));
        var unchanged = Bag.Contents(other);
        var result = SparseFile.Load(other, Path, new LoadOptions { AllowConversion = true });

        Assert.Contains($"'weight' is {saved} [30, 40] where the model has {wider} [30, 40]", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, unchanged);
        Assert.Equal(["bias", "weight"], result.Converted.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Load_OfRoundedWeights_RefusesVectorsOfAnotherType()
    {
        using var model = new Bag(("weight", Weights.Unstructured(0.5, 30, 40)), ("bias", ones(3, ScalarType.BFloat16)));
        using var other = new Bag(("weight", ones(30, 40)), ("bias", ones(3)));
        SparseFile.Save(model, Path, new SparseFileOptions { Values = ScalarType.BFloat16 });

        var error = Assert.Throws<InvalidDataException>(() => SparseFile.Load(other, Path));

        Assert.Equal($"'{Path}' does not fit the model: 'bias' is BFloat16 [3] where the model has Float32 [3].", error.Message);
        Assert.Equal("BF16", Safetensors.LoadMetadata(Path)["pdp.values"]);
    }

    [Fact]
    public void Save_WhenAWeightIsBeyondTheRangeOfItsType_SaysSoAndWritesNothing()
    {
        using var model = new Bag(("weight", tensor(new[] { 65_000f, 70_000f, float.PositiveInfinity }).reshape(1, 3)));

        var error = Assert.Throws<ArgumentException>(
            () => SparseFile.Save(model, Path, new SparseFileOptions { Values = ScalarType.Float16 }));

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
    [InlineData(true, 8000)]
    [InlineData(false, 2000)]
    public void Save_OfNegativeZeros_KeepsThemOnRequestAlone(bool keeps, long atMost)
    {
        var weight = Weights.Unstructured(0.5, 40, 50).neg().mul(Weights.Unstructured(0.9, 40, 50).ne(0.ToScalar()));
        using var model = new Bag(("weight", weight.clone()));

        SparseFile.Save(model, Path, new SparseFileOptions { KeepsNegativeZeros = keeps });

        using var again = new Bag(("weight", ones(40, 50)));
        SparseFile.Load(again, Path);
        var expected = keeps ? weight : weight.masked_fill(weight.eq(0.ToScalar()), 0.ToScalar());
        Assert.Equal(expected.bytes.ToArray(), again.get_buffer("weight")!.bytes.ToArray());
        Assert.InRange(new FileInfo(Path).Length, 1, atMost);
    }
}
