using System.Runtime.InteropServices;
using Pdp.Sparse.Folding;
using Pdp.Sparse.Kernels;
using static TorchSharp.torch;

namespace Pdp.Sparse.Packing;

/// <summary>What restores a layer's own weight, bit for bit, from that of one of its forms.</summary>
/// <remarks>
/// The form computes with W' = s·W if a norm is folded into it, and W' / s is W or a neighbouring float: two bits say which. A form
/// that stores no zeros loses −0, which takes a bit for each element if there are many. Anything else that division doesn't
/// restore, such as NaN or the weights of a channel whose s is 0, is kept as it is.
/// </remarks>
internal sealed class ExactWeight
{
    private const uint NegativeZero = 0x80000000;

    private readonly long[] _shape;
    private readonly long[] _strides;
    private readonly double[]? _scales;
    private readonly int _columns;
    private readonly TwoBits _steps;
    private readonly List<(int Index, uint Bits)> _others = [];
    private readonly ulong[]? _negativeZeros;

    /// <summary>Compares a weight with that of a form.</summary>
    /// <param name="weight">The layer's own weight.</param>
    /// <param name="fold">What is folded into the form.</param>
    /// <param name="form">The form.</param>
    public ExactWeight(Tensor weight, LayerFold fold, ISparseProduct form)
    {
        (_shape, _strides, _scales) = (weight.shape, weight.stride(), fold.Scales());
        _columns = (int)(weight.numel() / weight.shape[0]);
        using var contiguous = weight.detach().contiguous();
        var own = MemoryMarshal.Cast<byte, uint>(contiguous.bytes);
        var formed = new float[own.Length];
        form.Unpack(formed);
        _steps = new(_scales is null ? 0 : formed.Count(value => value != 0));
        if (own.Count(NegativeZero) > own.Length / 64)
            _negativeZeros = new ulong[(own.Length + 63) / 64];
        Compare(own, formed);
        GC.KeepAlive(contiguous);
    }

    /// <summary>The memory that it takes.</summary>
    public long Bytes =>
        (sizeof(double) * (_scales?.LongLength ?? 0)) + _steps.Bytes + (2L * sizeof(uint) * _others.Count)
        + (sizeof(ulong) * (_negativeZeros?.LongLength ?? 0));

    /// <summary>The weight with its strides, on the CPU; the caller's.</summary>
    /// <param name="form">The form that it was made with.</param>
    public Tensor ToDense(ISparseProduct form)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var dense = zeros(_shape, ScalarType.Float32, CPU);
        form.Unpack(MemoryMarshal.Cast<byte, float>(dense.bytes));
        Restore(MemoryMarshal.Cast<byte, uint>(dense.bytes));
        GC.KeepAlive(dense);
        // Elements that share memory, as in an expanded weight, are given memory of their own.
        var isPlain = dense.stride().AsSpan().SequenceEqual(_strides) || _strides.Contains(0);
        return (isPlain ? dense : empty_strided(_shape, _strides, ScalarType.Float32, CPU).copy_(dense)).MoveToOuterDisposeScope();
    }

    private void Compare(ReadOnlySpan<uint> own, ReadOnlySpan<float> formed)
    {
        var next = 0;
        for (var i = 0; i < own.Length; i++)
        {
            var guess = Guess(formed[i], i);
            if (formed[i] != 0 && _scales is not null)
                guess += _steps.Set(next++, own[i] - guess);
            if (own[i] == NegativeZero && _negativeZeros is not null)
                _negativeZeros[i / 64] |= 1UL << (i % 64);
            else if (own[i] != guess)
                _others.Add((i, own[i]));
        }
    }

    private void Restore(Span<uint> weight)
    {
        var next = 0;
        for (var i = 0; i < weight.Length; i++)
        {
            var formed = BitConverter.UInt32BitsToSingle(weight[i]);
            var step = formed != 0 && _scales is not null ? _steps[next++] : 0;
            weight[i] = Guess(formed, i) + step;
            if (_negativeZeros is not null && (_negativeZeros[i / 64] >> (i % 64) & 1) != 0)
                weight[i] = NegativeZero;
        }

        foreach (var (index, bits) in _others)
            weight[index] = bits;
    }

    /// <summary>The bits of the weight or of a neighbouring float.</summary>
    private uint Guess(float formed, int index) =>
        formed == 0 ? 0
        : _scales is null ? BitConverter.SingleToUInt32Bits(formed)
        : BitConverter.SingleToUInt32Bits((float)(formed / _scales[index / _columns]));
}
