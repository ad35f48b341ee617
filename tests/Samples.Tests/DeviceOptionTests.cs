using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests;

public sealed class DeviceOptionTests
{
    [Fact]
    public void Choose_WhenCpuIsAskedFor_IsTheCpu() => Assert.Equal(DeviceType.CPU, DeviceOption.Choose("cpu").type);

    [Fact]
    public void Choose_WhenNothingIsAskedFor_TakesAGpuWhereThereIsOne() =>
        Assert.Equal(cuda.is_available() ? DeviceType.CUDA : DeviceType.CPU, DeviceOption.Choose(null).type);

    [Fact]
    public void Choose_WhenThereIsNoSuchGpu_SaysSo()
    {
        var error = Assert.Throws<ArgumentException>(() => DeviceOption.Choose("cuda:99"));

        Assert.Contains("There is no cuda:99", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gpu")]
    [InlineData("cuda:")]
    [InlineData("cuda:1000")]
    public void Checked_WhenItIsNoDevice_SaysWhatOneIs(string name)
    {
        var error = Assert.Throws<ArgumentException>(() => DeviceOption.Checked(name));

        Assert.Equal($"Must be cpu, cuda, or cuda:n, not '{name}'.", error.Message);
    }
}
