namespace Pdp.Sparse.Packing;

/// <summary>Steps of 0, 1 and −1, in two bits each.</summary>
/// <param name="count">How many there are.</param>
internal sealed class TwoBits(int count)
{
    private const uint Minus = uint.MaxValue;

    private readonly byte[] _bits = new byte[(count + 3) / 4];

    /// <summary>The memory that they take.</summary>
    public long Bytes => _bits.Length;

    /// <summary>A step, as it is added to a number.</summary>
    public uint this[int index] => (_bits[index / 4] >> (2 * (index % 4)) & 3) switch
    {
        1 => 1,
        2 => Minus,
        _ => 0,
    };

    /// <summary>Stores a step.</summary>
    /// <returns>The step that was stored; 0 if it is neither 1 nor −1.</returns>
    public uint Set(int index, uint step)
    {
        if (step is not 1 and not Minus)
            return 0;
        _bits[index / 4] |= (byte)((step == 1 ? 1 : 2) << (2 * (index % 4)));
        return step;
    }
}
