using System.Numerics;

namespace Pdp.Sparse.Files;

/// <summary>The places of the bits that are set, in ascending order; bit 0 of a byte comes first.</summary>
internal ref struct SetBits(ReadOnlySpan<byte> bits)
{
    private readonly ReadOnlySpan<byte> _bits = bits;
    private int _byte = -1;
    private uint _left = 0;

    /// <summary>The place of the last bit found.</summary>
    public long Current { get; private set; } = -1;

    public readonly SetBits GetEnumerator() => this;

    public bool MoveNext()
    {
        while (_left == 0)
        {
            if (++_byte == _bits.Length)
                return false;
            _left = _bits[_byte];
        }

        Current = (_byte * 8L) + BitOperations.TrailingZeroCount(_left);
        _left &= _left - 1;
        return true;
    }
}
