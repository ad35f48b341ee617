using Pdp.Internal;
using static TorchSharp.torch;

namespace Pdp.Tests.Internal;

public sealed class TensorAddressTests
{
    // As for memory of a GPU, by which tied weights are known there.
    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float16)]
    public void OnDevice_OfAPartOfATensor_IsThatOfItsFirstElement(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var whole = zeros([4, 6], type);
        Tensor[] parts = [whole, whole[2], whole.t()[3], whole.narrow(1, 1, 3)];

        Assert.All(parts, part => Assert.Equal(TensorAddress.Of(part), TensorAddress.OnDevice(part)));
        Assert.Equal(4, parts.Select(TensorAddress.OnDevice).Distinct().Count());
    }
}
