using Pdp.Masks;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Masks;

public sealed class RanksTests
{
    [Theory]
    [InlineData(1, 5000)]
    [InlineData(700, 4)]
    [InlineData(3, 2)]
    public void Sorted_WhichOtherDevicesTake_IsTheCpusSelectionBitForBit(int groups, int members)
    {
        using var scope = NewDisposeScope();
        var weights = Tensors.Normal(members, groups * members).Select((w, i) => i % 3 == 0 ? Math.Round(w, 1) : w);
        var magnitude = Tensors.Of([.. weights], [groups, members], ScalarType.Float32).abs_();

        for (var rank = 1; rank < members; rank += Math.Max(1, members / 7))
        {
            var (lower, upper) = Ranks.Sorted(magnitude, rank);
            var (lowerSelected, upperSelected) = Ranks.Around(magnitude, rank);
            Assert.Equal(lowerSelected.Values(), lower.Values());
            Assert.Equal(upperSelected.Values(), upper.Values());
            Assert.Equal(Ranks.At(magnitude, rank).Values(), lower.Values());
        }

        Assert.Equal(Ranks.At(magnitude, members).Values(), Ranks.Sorted(magnitude, members).Lower.Values());
    }
}
