using Pdp.Training;
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
    [InlineData(0, null, "cpu")]
    [InlineData(0, 1, "cpu")]
    [InlineData(2, null, "cuda:0")]
    [InlineData(2, 0, "cuda:0")]
    [InlineData(2, 1, "cuda:1")]
    [InlineData(2, 2, "cuda:0")]
    public void NameFor_RanksOfAMachine_GivesEachTheNextGpu(int count, int? localRank, string expected) =>
        Assert.Equal(expected, DeviceOption.NameFor(count, localRank));

    // A rank that is given a device must not leave the others waiting for its number.
    [Theory]
    [InlineData(null)]
    [InlineData("cpu")]
    public void Choose_WithRanks_AsksForTheirMachinesWhateverTheName(string? name)
    {
        var ranks = new Counting();

        DeviceOption.Choose(name, ranks);

        Assert.NotEqual(0, ranks.Calls);
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

    /// <summary>The first of two ranks, whose texts are all empty.</summary>
    private sealed class Counting : ICollective
    {
        public int Calls { get; private set; }

        public int Rank => 0;

        public int Size => 2;

        public void Sum(Tensor tensor) => Calls++;

        public void Broadcast(Tensor tensor, int root = 0) => Calls++;

        public void Barrier() => Calls++;
    }
}
