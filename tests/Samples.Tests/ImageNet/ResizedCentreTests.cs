using Pdp.Samples.ImageNet.Data;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class ResizedCentreTests
{
    // As torchvision: the longer side is cut off to a whole number (341.33, 383.7, 1024), and half of the margin is rounded,
    // halves to the even number (58.5 and 79.5).
    [Theory]
    [InlineData(500, 375, 341, 256, 58, 16)]
    [InlineData(640, 427, 383, 256, 80, 16)]
    [InlineData(375, 500, 256, 341, 16, 58)]
    [InlineData(100, 400, 256, 1024, 16, 400)]
    [InlineData(256, 256, 256, 256, 16, 16)]
    public void Of_WhenPictureHasASize_IsItsMiddle(int width, int height, int resizedWidth, int resizedHeight, int left, int top)
    {
        var view = new ResizedCentre(224, 256).Of(width, height, default);

        Assert.Equal(new Axis(0, width, resizedWidth, left), view.Horizontal);
        Assert.Equal(new Axis(0, height, resizedHeight, top), view.Vertical);
    }

    [Fact]
    public void Constructor_WhenMiddleIsLargerThanPicture_Throws()
    {
        Assert.Throws<ArgumentOutOfRangeException>("resized", () => new ResizedCentre(224, 223));
        Assert.Throws<ArgumentOutOfRangeException>("side", () => new ResizedCentre(0, 223));
        Assert.Equal(224, new ResizedCentre(224, 224).Side);
    }
}
