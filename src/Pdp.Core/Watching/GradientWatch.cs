using System.Runtime.InteropServices;
using Pdp.Internal;
using Pdp.Masking;
using Pdp.Numerics.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Watching;

/// <summary>
/// Detects whether something other than the backward pass changed a gradient inside a scope: clipping, scaling or zeroing.
/// </summary>
/// <remarks>
/// <para>
/// For one scope the gradient is accumulated in float64. A backward pass adds float32 or narrower numbers, which leave most bits of a
/// float64 mantissa zero; a multiplication fills them. Changes whose results are float32 numbers, such as clamping to 0.5, go undetected.
/// </para>
/// <para>
/// If there is an earlier gradient, which the scope has set aside, each element starts from a mark instead of 0: a single bit, so far below
/// the earlier value that a gradient of similar size doesn't reach it. If the marks are gone, the gradient was zeroed inside the scope.
/// Finally the marks are subtracted and the sum is rounded to the weight's type, so that nothing is lost.
/// </para>
/// </remarks>
/// <param name="name">The parameter's name, for messages.</param>
/// <param name="parameter">The parameter, borrowed; of a narrower type than float64.</param>
internal sealed class GradientWatch(string name, Parameter parameter) : IDisposable
{
    /// <summary>
    /// Gradients are watched for the smallest weights, up to this many elements in total, or else for the smallest one alone.
    /// </summary>
    private const long MostElements = 1 << 14;

    /// <summary>The most elements of the smallest one: its gradient is examined in float64, which takes seven times its memory.</summary>
    private const long MostOfOne = 1 << 22;

    /// <summary>So many consecutive sums of several passes whose bits are filled can't be a coincidence.</summary>
    private const int MostFilled = 4;

    private double[]? _marks;
    private Tensor? _sum;
    private long _start;
    private bool _isStale;
    private int _scaled;

    /// <summary>Whether a gradient arrived in the last scope and was dropped before its end, as zero_grad behind backward does.</summary>
    public bool IsDropped { get; private set; }

    /// <summary>Whether gradients of a parameter can be watched.</summary>
    private static bool Serves(Parameter parameter) =>
        NativeTensor.IsSupported
        && NativeTensor.HasVersions
        && parameter.dtype != ScalarType.Float64
        && parameter.device_type is TorchSharp.DeviceType.CPU or TorchSharp.DeviceType.CUDA;

    /// <summary>A watch for each of the smallest groups; null for the others.</summary>
    public static GradientWatch?[] Among(IReadOnlyList<MaskGroup> groups)
    {
        var elements = 0L;
        HashSet<MaskGroup> smallest =
        [
            .. groups.Where(group => Serves(group.Parameters[0]))
                .OrderBy(group => group.Parameters[0].numel())
                .TakeWhile((group, i) => (elements += group.Parameters[0].numel()) <= (i == 0 ? MostOfOne : MostElements)),
        ];
        return [.. groups.Select(group => smallest.Contains(group) ? new GradientWatch(group.Mask.Name, group.Parameters[0]) : null)];
    }

    /// <summary>Makes the marks, before the scope sets the earlier gradient aside.</summary>
    /// <param name="hasStepped">Whether the weight has been stepped since the earlier gradient arrived.</param>
    public void Prepare(bool hasStepped)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _marks = parameter.grad is { } earlier ? GradientBits.Marks(Values(earlier.to_dense())) : null;
        _isStale = hasStepped && _marks is not null;
    }

    /// <summary>Replaces the gradient by the marks, or by zeros.</summary>
    public void Enter()
    {
        using var scope = NewDisposeScope();
        using var _ = inference_mode(false);
        using var __ = no_grad();
        // Not a view, as optimizers that zero natively detach the gradient in place.
        _sum = zeros(parameter.shape, ScalarType.Float64, parameter.device).DetachFromDisposeScope();
        if (_marks is not null)
            _sum.copy_(tensor(_marks, ScalarType.Float64, parameter.device).reshape(parameter.shape));
        _start = NativeTensor.Version(_sum.Handle);
        parameter.grad = _sum;
    }

    /// <summary>Sets the gradient to what has arrived, in the weight's own type.</summary>
    /// <returns>The error inside the scope; null if there was none.</returns>
    public string? Leave()
    {
        IsDropped = false;
        if (_sum is null)
            return null;

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var sum = _sum;
        _sum = null;
        if (parameter.grad is not { } arrived)
        {
            IsDropped = NativeTensor.Version(sum.Handle) != _start;
            return null;
        }

        // The gradient was dropped or replaced: either way the earlier one, which has been used for a step, is not meant to stay.
        if (arrived.dtype != ScalarType.Float64)
            return _isStale ? Faults.ZeroedInside(name) : null;

        // If the graph of the gradient is kept, autograd adds out of place.
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
            : (changes == 1 ? bits.IsNoGradient : IsScaled(bits, changes)) ? Faults.GradientChangedInside(name)
            : null;
    }

    // Three numbers of very different size can fill all bits, too. That they do so in one scope after another would be a coincidence.
    private bool IsScaled(GradientBits bits, long changes)
    {
        _scaled = bits.IsScaled ? _scaled + 1 : 0;
        return changes == 2 ? bits.IsScaled : _scaled >= MostFilled;
    }

    public void Dispose()
    {
        _sum?.Dispose();
        _sum = null;
    }

    private static double[] Values(Tensor tensor) =>
        MemoryMarshal.Cast<byte, double>(tensor.to_type(ScalarType.Float64).cpu().contiguous().bytes).ToArray();
}
