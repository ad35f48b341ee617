using System.Runtime.InteropServices;
using Pdp.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Internal;

/// <summary>Tells whether something acted on a gradient inside a scope besides the backward pass: clipping, scaling, zeroing.</summary>
/// <remarks>
/// <para>
/// For one scope the gradient is summed up in float64. A backward pass adds float32 numbers or narrower ones, which leave most of the bits of
/// a float64 mantissa zero; a factor fills them.
/// </para>
/// <para>
/// Where there is an earlier gradient, which the scope has set aside, each element begins with a mark in place of 0: one bit, so far below the
/// earlier value that a gradient of about its size doesn't reach it. Where the marks are gone, the gradient was zeroed inside. They are taken
/// off again, and the sum is rounded to the weight's type, so that nothing is lost.
/// </para>
/// </remarks>
/// <param name="name">What the parameter is, for messages.</param>
/// <param name="parameter">The parameter, borrowed; of a narrower type than float64.</param>
internal sealed class GradientWitness(string name, Parameter parameter) : IDisposable
{
    /// <summary>The low bits of a float64 mantissa that a float32 number leaves zero.</summary>
    private const int SpareOfOne = 29;

    /// <summary>Those of them that a sum of float32 numbers of about the same size leaves zero, too.</summary>
    private const int SpareOfSum = 12;

    /// <summary>How far a mark is below the earlier gradient: 2⁻⁴⁸ of it.</summary>
    private const int MarkDepth = 48;

    private double[]? _marks;
    private Tensor? _sum;

    /// <summary>Whether gradients of a parameter can be witnessed.</summary>
    public static bool Serves(Parameter parameter) => NativeTensor.IsSupported && NativeTensor.HasVersions && parameter.dtype != ScalarType.Float64;

    /// <summary>Makes the marks, before the scope sets the earlier gradient aside.</summary>
    public void Prepare()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _marks = parameter.grad is { } earlier ? MarksFor(Values(earlier.to_dense())) : null;
    }

    /// <summary>Puts the marks, or zeros, in the place of the gradient.</summary>
    public void Enter()
    {
        using var scope = NewDisposeScope();
        using var _ = inference_mode(false);
        _sum = (_marks is null
            ? zeros(parameter.shape, ScalarType.Float64, parameter.device)
            : tensor(_marks, device: parameter.device).reshape(parameter.shape)).DetachFromDisposeScope();
        parameter.grad = _sum;
    }

    /// <summary>Puts what has arrived in the place of the gradient, in the weight's own type.</summary>
    /// <returns>What went wrong inside; null if nothing did.</returns>
    public string? Leave()
    {
        if (_sum is null)
            return null;

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var sum = _sum;
        _sum = null;
        // A gradient of one's own may have been put there, or none may have arrived.
        if (parameter.grad is not { dtype: ScalarType.Float64 } arrived)
            return null;

        var additions = NativeTensor.Version(sum.Handle);
        GC.KeepAlive(sum);
        parameter.grad = null;
        return additions == 0 ? null : Take(Values(arrived), additions == 1 ? SpareOfOne : SpareOfSum);
    }

    public void Dispose()
    {
        _sum?.Dispose();
        _sum = null;
    }

    private static double[] Values(Tensor tensor) =>
        MemoryMarshal.Cast<byte, double>(tensor.to_type(ScalarType.Float64).cpu().contiguous().bytes).ToArray();

    /// <summary>A power of two for each number that is not 0; null where all are.</summary>
    private static double[]? MarksFor(double[] earlier)
    {
        var isMarked = false;
        for (var i = 0; i < earlier.Length; i++)
        {
            earlier[i] = earlier[i] == 0 || !double.IsFinite(earlier[i]) ? 0 : Math.ScaleB(1, Math.ILogB(earlier[i]) - MarkDepth);
            isMarked |= earlier[i] != 0;
        }

        return isMarked ? earlier : null;
    }

    private string? Take(double[] sums, int spare)
    {
        var isZeroed = false;
        var gradient = _marks is null ? sums : Unmarked(sums, _marks, spare, out isZeroed);
        parameter.grad = tensor(gradient, dtype: parameter.dtype, device: parameter.device).reshape(parameter.shape);
        // After one backward pass each element tells; after several, one of another size may fill the bits.
        var filled = gradient.Count(value => !IsPlain(value, spare));
        return filled > (spare == SpareOfOne ? 0 : gradient.Length / 2) ? Faults.GradientChangedInside(name)
            : isZeroed ? Faults.ZeroedInside(name)
            : null;
    }

    /// <summary>The sums without their marks, or as they are where more of them have lost theirs than have one.</summary>
    private static double[] Unmarked(double[] sums, double[] marks, int spare, out bool isZeroed)
    {
        var unmarked = new double[sums.Length];
        var lost = 0;
        for (var i = 0; i < sums.Length; i++)
        {
            // A sum that is much larger than the earlier gradient never took the mark, and doesn't tell.
            var isTooSmall = sums[i] + marks[i] == sums[i];
            unmarked[i] = isTooSmall ? sums[i] : sums[i] - marks[i];
            if (!isTooSmall)
                lost += (IsPlain(sums[i], spare) ? 1 : 0) - (IsPlain(unmarked[i], spare) ? 1 : 0);
        }

        isZeroed = lost > 0;
        return isZeroed ? sums : unmarked;
    }

    /// <summary>Whether a number leaves so many low bits zero.</summary>
    private static bool IsPlain(double value, int spare) => long.TrailingZeroCount(BitConverter.DoubleToInt64Bits(value)) >= spare;
}
