using System.Security.Cryptography;
using Pdp.Saving;
using static TorchSharp.torch;

namespace Pdp.Tests.Saving;

public sealed class WeightHashTests
{
    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float16)]
    public void Of_OneValueThatDiffersByABit_IsAnother(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var weight = ones(5, 7, type);
        var other = weight.clone();
        other[4, 6] = other[4, 6].neg();

        Assert.Equal(WeightHash.Of(weight), WeightHash.Of(weight.clone()));
        Assert.NotEqual(WeightHash.Of(weight), WeightHash.Of(other));
    }

    [Fact]
    public void Of_AViewInAnotherOrderOfMemory_IsThatOfItsValues()
    {
        using var scope = NewDisposeScope();
        var weight = arange(35, ScalarType.Float32).reshape(5, 7);

        Assert.Equal(WeightHash.Of(weight.t().contiguous()), WeightHash.Of(weight.t()));
        Assert.NotEqual(WeightHash.Of(weight), WeightHash.Of(weight.t()));
    }

    [Fact]
    public void Of_SeveralPieces_IsTheHashOfAllBytes()
    {
        using var scope = NewDisposeScope();
        var weight = arange((1 << 24) + 3, ScalarType.Int8);

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(weight.bytes))[..32], WeightHash.Of(weight));
    }
}
