using System.Runtime.InteropServices;
using Pdp.Internal;
using Pdp.Numerics.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Watching;

/// <summary>Tells whether something acted on a gradient inside a scope besides the backward pass: clipping, scaling, zeroing.</summary>
/// <remarks>
/// <para>
/// For one scope the gradient is summed up in float64. A backward pass adds float32 numbers or narrower ones, which leave most of the bits of
/// a float64 mantissa zero; a factor fills them. It doesn't see what leaves float32 numbers, as clamping to 0.5 does.
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
    private double[]? _marks;
    private Tensor? _sum;
    private long _start;
    private bool _isStale;

    /// <summary>Whether gradients of a parameter can be witnessed.</summary>
    public static bool Serves(Parameter parameter) => NativeTensor.IsSupported && NativeTensor.HasVersions && parameter.dtype != ScalarType.Float64;

    /// <summary>Makes the marks, before the scope sets the earlier gradient aside.</summary>
    /// <param name="hasStepped">Whether the weight was stepped since the earlier gradient arrived.</param>
    public void Prepare(bool hasStepped)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _marks = parameter.grad is { } earlier ? GradientBits.Marks(Values(earlier.to_dense())) : null;
        _isStale = hasStepped && _marks is not null;
    }

    /// <summary>Puts the marks, or zeros, in the place of the gradient.</summary>
    public void Enter()
    {
        using var scope = NewDisposeScope();
        using var _ = inference_mode(false);
        using var __ = no_grad();
        // No view: optimizers that zero natively detach the gradient in place.
        _sum = zeros(parameter.shape, ScalarType.Float64, parameter.device).DetachFromDisposeScope();
        if (_marks is not null)
            _sum.copy_(tensor(_marks, ScalarType.Float64, parameter.device).reshape(parameter.shape));
        _start = NativeTensor.Version(_sum.Handle);
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
        if (parameter.grad is not { } arrived)
            return null;

        // Dropped or replaced by a gradient of one's own: either way the earlier one, with which a step was made, is not meant to stay.
        if (arrived.dtype != ScalarType.Float64)
            return _isStale ? Faults.ZeroedInside(name) : null;

        // Where the graph of the gradient is kept, autograd adds out of place.
        var isSum = NativeTensor.IsSameMemory(arrived.Handle, sum.Handle);
        var changes = NativeTensor.Version(sum.Handle) - _start;
        GC.KeepAlive(arrived);
        GC.KeepAlive(sum);
        parameter.grad = null;
        if (isSum && changes == 0)
            return null;

        var bits = new GradientBits(Values(arrived), _marks);
        var gradient = tensor(bits.Gradient(isZeroed: isSum && changes == 2 && bits.IsZeroed), ScalarType.Float64, parameter.device);
        parameter.grad = gradient.reshape(parameter.shape).to_type(parameter.dtype);
        return !isSum ? null
            : changes == 2 && bits.IsZeroed ? Faults.ZeroedInside(name)
            : (changes == 1 ? bits.IsNoGradient : bits.IsScaled) ? Faults.GradientChangedInside(name)
            : null;
    }

    public void Dispose()
    {
        _sum?.Dispose();
        _sum = null;
    }

    private static double[] Values(Tensor tensor) =>
        MemoryMarshal.Cast<byte, double>(tensor.to_type(ScalarType.Float64).cpu().contiguous().bytes).ToArray();
}
