using Pdp.Numerics;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Numerics;

public sealed class RanksTests
{
    [Theory]
    [InlineData("normal")]
    [InlineData("ties")]
    [InlineData("zeros")]
    [InlineData("signed")]
    [InlineData("-0")]
    [InlineData("not finite")]
    public void Around_OfManyNumbersOfOneGroup_IsWhatKthvalueFinds(string kind)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        const int members = 20_000;
        var numbers = randn([1, members], generator: generator);
        numbers = kind switch
        {
            "ties" => numbers.abs().mul(4).floor(),
            "zeros" => numbers.clamp_min(0),
            "signed" => numbers,
            "-0" => numbers.abs().mul(numbers.abs().gt(1)).neg().abs().masked_fill(numbers.gt(2), -0.0f),
            "not finite" => numbers.abs().masked_fill(numbers.gt(2), float.PositiveInfinity),
            _ => numbers.abs(),
        };

        foreach (var rank in (long[])[1, 2, 500, 10_000, 19_998, members - 1])
        {
            var (lower, upper) = Ranks.Around(numbers, rank);

            Assert.Equal(numbers.kthvalue(rank, 1).values.item<float>(), lower.item<float>());
            Assert.Equal(numbers.kthvalue(rank + 1, 1).values.item<float>(), upper.item<float>());
            Assert.Equal(lower.item<float>(), Ranks.At(numbers, rank).item<float>());
            Assert.Equal([1, 1], lower.shape);
        }

        Assert.Equal(numbers.max().item<float>(), Ranks.At(numbers, members).item<float>());
    }

    [Theory]
    [InlineData(4, "normal")]
    [InlineData(2, "ties")]
    [InlineData(8, "ties")]
    [InlineData(32, "normal")]
    [InlineData(33, "ties")]
    [InlineData(4, "signed")]
    [InlineData(4, "-0")]
    [InlineData(4, "not finite")]
    public void Around_OfShortGroups_IsWhatKthvalueFinds(int members, string kind)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var numbers = randn([500, members], generator: generator);
        numbers = kind switch
        {
            "ties" => numbers.abs().mul(4).floor(),
            "signed" => numbers,
            "-0" => numbers.abs().masked_fill(numbers.gt(1), -0.0f),
            "not finite" => numbers.abs().masked_fill(numbers.gt(1), float.NaN),
            _ => numbers.abs(),
        };

        for (var rank = 1; rank < members; rank++)
        {
            var (lower, upper) = Ranks.Around(numbers, rank);

            Assert.Equal(numbers.kthvalue(rank, 1, keepdim: true).values.Values(), lower.Values());
            Assert.Equal(numbers.kthvalue(rank + 1, 1, keepdim: true).values.Values(), upper.Values());
            Assert.Equal(lower.Values(), Ranks.At(numbers, rank).Values());
            Assert.Equal([500, 1], lower.shape);
        }
    }

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
