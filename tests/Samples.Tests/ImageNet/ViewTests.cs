using Pdp.Samples.ImageNet.Data;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class ViewTests
{
    [Theory]
    [InlineData(895, 896, 1)]
    [InlineData(896, 895, 1)]
    [InlineData(896, 896, 0.5f)]
    [InlineData(1792, 1791, 0.5f)]
    [InlineData(1792, 1792, 0.25f)]
    [InlineData(3584, 3584, 0.125f)]
    [InlineData(100, 100, 1)]
    public void Fraction_WhenCropIsReduced_LeavesTwiceTheTarget(int width, int height, float expected)
    {
        var view = new View(new Axis(5, width, 224), new Axis(9, height, 224));

        Assert.Equal(expected, view.Fraction());
    }
}
