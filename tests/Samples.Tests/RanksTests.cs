using System.Text;
using Pdp.Training;

namespace Pdp.Samples.Tests;

public sealed class RanksTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Cores_OfRanksThatMayRunOnTheSame_AreDivided(int size)
    {
        var cores = new int[size];

        ThreadRanks.Run(size, collective => cores[collective.Rank] = Ranks.Cores(collective));

        Assert.All(cores, count => Assert.Equal(Math.Max(1, Environment.ProcessorCount / size), count));
    }

    [Fact]
    public void Cores_BesideARankOnOthers_AreNotDivided() => Assert.Equal(Environment.ProcessorCount, Ranks.Cores(new Elsewhere()));

    /// <summary>One of two ranks of a machine, of which the other runs on cores of its own.</summary>
    private sealed class Elsewhere : ICollective
    {
        public int Rank => 0;

        public int Size => 2;

        public void Barrier()
        {
        }

        public void Sum(TorchSharp.torch.Tensor tensor)
        {
        }

        // The other rank sends the name of this machine, and as many other characters as are left.
        public void Broadcast(TorchSharp.torch.Tensor tensor, int root)
        {
            if (root == 1 && tensor.dtype == TorchSharp.torch.ScalarType.Byte)
            {
                Encoding.UTF8.GetBytes(Environment.MachineName).CopyTo(tensor.bytes);
            }
        }
    }
}
