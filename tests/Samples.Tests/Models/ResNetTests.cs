using Pdp.Samples.Models;
using TorchSharp.Modules;

namespace Pdp.Samples.Tests.Models;

public sealed class ResNetTests
{
    [Fact]
    public void ResNet50_WhenShrinkingThePicture_TakesTheStrideIn3By3()
    {
        using var model = ResNet.ResNet50();
        var modules = model.named_modules().ToDictionary(item => item.name, item => item.module);

        Assert.Equal([1, 1], ((Conv2d)modules["layer2.0.conv1"]).stride);
        Assert.Equal([2, 2], ((Conv2d)modules["layer2.0.conv2"]).stride);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 8)]
    public void ResNet18_WhenInitialResidualIsZeroOrNot_StartsItsLastScalesSo(bool isZero, int expected)
    {
        using var model = ResNet.ResNet18(zeroInitialResidual: isZero);

        Assert.Equal(expected, ZeroScales(model, "bn2.weight"));
        Assert.Equal(expected, ZeroScales(model, "weight"));
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 16)]
    public void ResNet50_WhenInitialResidualIsZeroOrNot_StartsItsLastScalesSo(bool isZero, int expected)
    {
        using var model = ResNet.ResNet50(zeroInitialResidual: isZero);

        Assert.Equal(expected, ZeroScales(model, "bn3.weight"));
        Assert.Equal(expected, ZeroScales(model, "weight"));
    }

    private static int ZeroScales(ResNet model, string ending) => model.named_parameters()
        .Count(item => item.name.EndsWith(ending, StringComparison.Ordinal) && item.parameter.count_nonzero().ReadCpuInt64(0) == 0);
}
