using CsCheck;
using Pdp.Reporting;
using Pdp.Sparse.Files;
using Pdp.Tests.Support;

namespace Pdp.Sparse.Tests.Files;

/// <summary>The codes of the places of nonzeros, against a bit at a time.</summary>
public sealed class CodeTests
{
    private static readonly Gen<bool[]> Kept =
        from size in Gen.Int[1, 700]
        from share in Gen.Double[0, 1]
        from kept in Gen.Double[0, 1].Array[size]
        select kept.Select(value => value < share * share * share).ToArray();

    private static readonly Gen<int[]> PairsOfFour = Gen.Int[0, 5].Array[1, 40];

    [Fact]
    public void Bitmask_OfElements_HasABitForEachThatIsNotZero() => Law.Holds(Kept, kept =>
    {
        foreach (var width in new[] { 1, 2, 4, 8 })
        {
            byte[] elements = [.. kept.SelectMany(isKept => new byte[width - 1].Append((byte)(isKept ? 128 : 0)))];

            var mask = Bitmask.Of(elements, width);

            Assert.Equal(MaskOf(kept), mask);
            Assert.Equal(kept.Count(isKept => isKept), Bitmask.Count(mask));
        }
    });

    [Fact]
    public void Scatter_OfWhatIsGathered_GivesTheElementsBack() => Law.Holds(Kept, kept =>
    {
        short[] elements = [.. kept.Select((isKept, i) => (short)(isKept ? i + 1 : 0))];
        var bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes<short>(elements).ToArray();
        var packed = new byte[2 * kept.Count(isKept => isKept)];
        var again = new byte[bytes.Length];
        Array.Fill(again, (byte)7);

        Bitmask.Gather(MaskOf(kept), bytes, 2, packed);
        Bitmask.Scatter(MaskOf(kept), packed, 2, again);

        Assert.Equal(
            elements.Where(element => element != 0), System.Runtime.InteropServices.MemoryMarshal.Cast<byte, short>(packed).ToArray());
        Assert.Equal(bytes, again);
    });

    [Fact]
    public void Positions_OfAnyMask_DecodeToIt() => Law.Holds(Kept, kept =>
    {
        var (mask, count) = (MaskOf(kept), kept.Count(isKept => isKept));

        var code = Positions.Encode(mask, kept.Length, count);

        Assert.Equal(StoredBytes.Positions(kept.Length, count), code.Length);
        Assert.Equal(mask, Positions.Decode(code, kept.Length, count));
    }, count: 300);

    [Fact]
    public void Positions_WhenAnyBitIsFlipped_AreRefusedOrAreOtherPlaces() => Law.Holds(Kept, kept =>
    {
        var (mask, count) = (MaskOf(kept), kept.Count(isKept => isKept));
        var code = Positions.Encode(mask, kept.Length, count);
        for (var bit = 0; bit < 8 * code.Length; bit++)
        {
            code[bit / 8] ^= (byte)(1 << (bit % 8));
            if (Record.Exception(() => Assert.NotEqual(mask, Positions.Decode(code, kept.Length, count))) is { } fault)
                Assert.IsType<FormatException>(fault);
            code[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }, count: 20);

    [Fact]
    public void Positions_WhenNonzerosAreFew_TakeLittleMoreThanTheMinimum()
    {
        foreach (var sparsity in new[] { 0.9, 0.95, 0.98, 0.99, 0.999 })
        {
            var (elements, count) = (1_000_000, (long)Math.Round(1_000_000 * (1 - sparsity)));
            var minimum = -((1 - sparsity) * Math.Log2(1 - sparsity)) - (sparsity * Math.Log2(sparsity));

            var bits = 8.0 * StoredBytes.Positions(elements, count);

            Assert.InRange(bits, minimum * elements, (minimum * elements) + (0.6 * count));
        }
    }

    [Fact]
    public void TwoOfFour_OfTwoInEveryFour_DecodesToThem() => Law.Holds(PairsOfFour, pairs =>
    {
        int[] patterns = [3, 5, 6, 9, 10, 12];
        var mask = MaskOf([.. pairs.SelectMany(pair => Enumerable.Range(0, 4).Select(bit => ((patterns[pair] >> bit) & 1) != 0))]);

        var code = TwoOfFour.Encode(mask, 4 * pairs.Length)!;

        Assert.Equal(mask, TwoOfFour.Decode(code, 4 * pairs.Length));
        Assert.Equal(0b1110_0100, TwoOfFour.Encode([0b1100_0011], 8)![0]);
    });

    [Theory]
    [InlineData(0b0001_0011)]
    [InlineData(0b0111_0011)]
    [InlineData(0b0000_0011)]
    public void TwoOfFour_WhenAFourHasMoreOrFewer_IsNone(byte mask) => Assert.Null(TwoOfFour.Encode([mask], 8));

    [Theory]
    [InlineData(0b0000_0100)]
    [InlineData(0b0001_0100)]
    public void TwoOfFour_WhenAPlaceIsNamedTwiceOrInDescendingOrder_IsRefused(byte code) =>
        Assert.Throws<FormatException>(() => TwoOfFour.Decode([code], 8));

    private static byte[] MaskOf(bool[] kept)
    {
        var mask = new byte[(kept.Length + 7) / 8];
        foreach (var (i, isKept) in kept.Index())
            mask[i / 8] |= (byte)(isKept ? 1 << (i % 8) : 0);
        return mask;
    }
}
