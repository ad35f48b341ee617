using System.Numerics;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Pdp.Sparse.Packing;

/// <summary>A float32 weight, bit for bit, as the elements that are not +0 and a bit for each element that says which these are.</summary>
/// <remarks>−0 and NaN count as elements that are not zero here.</remarks>
internal sealed class ExactWeight
{
    private readonly long[] _shape;
    private readonly long[] _strides;
    private readonly ulong[] _kept;
    private readonly uint[] _values;

    private ExactWeight(Tensor weight, ulong[] kept, uint[] values)
    {
        (_shape, _strides) = (weight.shape, weight.stride());
        (_kept, _values) = (kept, values);
    }

    /// <summary>The memory that it takes.</summary>
    public long Bytes => (sizeof(ulong) * _kept.LongLength) + (sizeof(uint) * _values.LongLength);

    /// <summary>Copies a weight.</summary>
    public static ExactWeight Of(Tensor weight)
    {
        using var contiguous = weight.detach().contiguous();
        var elements = MemoryMarshal.Cast<byte, uint>(contiguous.bytes);
        var kept = new ulong[(elements.Length + 63) / 64];
        for (var i = 0; i < elements.Length; i++)
            kept[i / 64] |= (elements[i] == 0 ? 0UL : 1UL) << (i % 64);

        var values = new uint[kept.Sum(bits => BitOperations.PopCount(bits))];
        var next = 0;
        foreach (var element in elements)
        {
            if (element != 0)
                values[next++] = element;
        }

        GC.KeepAlive(contiguous);
        return new(weight, kept, values);
    }

    /// <summary>The weight with its strides, on the CPU; the caller's.</summary>
    public Tensor ToDense()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var dense = zeros(_shape, ScalarType.Float32, CPU);
        Write(MemoryMarshal.Cast<byte, uint>(dense.bytes));
        GC.KeepAlive(dense);
        // Elements that share memory, as in an expanded weight, are given memory of their own.
        var isPlain = dense.stride().AsSpan().SequenceEqual(_strides) || _strides.Contains(0);
        return (isPlain ? dense : empty_strided(_shape, _strides, ScalarType.Float32, CPU).copy_(dense)).MoveToOuterDisposeScope();
    }

    private void Write(Span<uint> elements)
    {
        var next = 0;
        for (var word = 0; word < _kept.Length; word++)
        {
            for (var bits = _kept[word]; bits != 0; bits &= bits - 1)
                elements[(64 * word) + BitOperations.TrailingZeroCount(bits)] = _values[next++];
        }
    }
}
