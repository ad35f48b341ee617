using CsCheck;
using Pdp.Saving;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Saving;

public sealed class PackedMaskTests
{
    private static readonly Gen<(int Groups, int Members, bool[] Kept)> Masks =
        from groups in Gen.Int[1, 6]
        from members in Gen.Int[1, 40]
        from kept in Gen.Bool.Array[groups * members]
        select (groups, members, kept);

    [Fact]
    public void Unpack_OfWhatWasPacked_IsTheMask() => Law.Holds(Masks, mask =>
    {
        using var scope = NewDisposeScope();
        var kept = tensor(mask.Kept).reshape(mask.Groups, mask.Members);

        var again = PackedMask.Unpack(PackedMask.Pack(kept), mask.Groups, mask.Members)!;

        Assert.Equal(kept.shape, again.shape);
        Assert.Equal(mask.Kept, again.data<bool>().ToArray());
    });

    [Fact]
    public void Unpack_WhenAnyBitIsFlipped_IsNull() => Law.Holds(Masks, mask =>
    {
        using var scope = NewDisposeScope();
        var packed = PackedMask.Pack(tensor(mask.Kept).reshape(mask.Groups, mask.Members));
        for (var bit = 0; bit < mask.Kept.Length; bit++)
        {
            var bytes = Convert.FromBase64String(packed);
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Null(PackedMask.Unpack(Convert.ToBase64String(bytes), mask.Groups, mask.Members));
        }
    }, count: 20);

    [Fact]
    public void Pack_PutsTheFirstMemberIntoTheLowestBit()
    {
        using var kept = tensor(new[] { true, false, false, true, false, false, false, false, true }).reshape(1, 9);

        var bytes = Convert.FromBase64String(PackedMask.Pack(kept));

        Assert.Equal([0b0000_1001, 0b0000_0001], bytes[..2]);
        Assert.Equal(10, bytes.Length);
    }
}
