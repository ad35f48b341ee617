using Pdp.Numerics.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>Consecutive elements of a parameter under a committed mask.</summary>
/// <remarks>Owns a byte for each element, 1 if it is kept; borrows the parameter.</remarks>
internal sealed unsafe class CommittedRange : IDisposable
{
    private readonly Parameter _parameter;
    private readonly GradientMemory _gradient;
    private readonly Tensor _kept;
    private readonly long _start;
    private readonly long _elements;
    private float* _weight;

    /// <summary>Makes a range.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <param name="start">The first element.</param>
    /// <param name="kept">Whether each element is kept, of the range's shape; copied.</param>
    /// <param name="gradient">The gradient of the whole parameter.</param>
    public CommittedRange(Parameter parameter, long start, Tensor kept, GradientMemory gradient)
    {
        using var scope = NewDisposeScope();
        using var _ = inference_mode(false);
        _parameter = parameter;
        _gradient = gradient;
        (_start, _elements) = (start, parameter.numel());
        _kept = kept.to_type(ScalarType.Byte).contiguous().DetachFromDisposeScope();
        Length = _kept.numel();
    }

    /// <summary>The number of elements.</summary>
    public long Length { get; }

    /// <summary>Finds the memory; false if it is not contiguous.</summary>
    public bool Find()
    {
        _weight = Elements();
        return _weight is not null;
    }

    /// <summary>Whether the memory is still where it was found.</summary>
    public bool IsThere() => !_parameter.IsInvalid && Elements() == _weight;

    /// <summary>Writes zeros where elements are removed.</summary>
    public void WriteZeros(long first, int length) => KeptPass.WriteZeros(_weight + _start + first, Kept(first), length);

    /// <summary>Whether all removed elements are zero.</summary>
    public bool AreZero(long first, int length) => KeptPass.AreZero(_weight + _start + first, Kept(first), length);

    /// <summary>Removes the gradient of removed elements, if one arrived.</summary>
    public void Correct(long first, int length)
    {
        if (_gradient.HasArrived)
            KeptPass.Multiply(_gradient.Arrived + _start + first, Kept(first), length);
    }

    public void Dispose() => _kept.Dispose();

    private float* Elements() => NativeTensor.Elements(_parameter.Handle, _elements);

    private byte* Kept(long first) => (byte*)NativeTensor.Data(_kept.Handle) + first;
}
