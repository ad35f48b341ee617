using Pdp.Samples.ImageNet;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class DevicesTests
{
    [Fact]
    public void Choose_WhenCpuIsAskedFor_IsTheCpu() => Assert.Equal(DeviceType.CPU, Devices.Choose("cpu").type);

    [Fact]
    public void Choose_WhenNothingIsAskedFor_TakesAGpuWhereThereIsOne() =>
        Assert.Equal(cuda.is_available() ? DeviceType.CUDA : DeviceType.CPU, Devices.Choose(null).type);

    [Fact]
    public void Choose_WhenThereIsNoSuchGpu_SaysSo()
    {
        var error = Assert.Throws<ArgumentException>(() => Devices.Choose("cuda:99"));

        Assert.Contains("There is no cuda:99", error.Message, StringComparison.Ordinal);
    }
}
