using Pdp.Numerics.Kernels;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>What weights compete by under <see cref="Taylor"/> importance, a·w, and the next a, in memory.</summary>
/// <remarks>
/// Owns both. Whether a gradient is finite is known only after its last piece: then the next a changes places with that of
/// <see cref="RunningImportance"/>.
/// </remarks>
internal sealed unsafe class TaylorMemory : IDisposable
{
    private readonly RunningImportance _running;
    private readonly int _window;
    private readonly long _elements;
    private Tensor? _product;
    private Tensor? _next;
    private float* _sensitivity;
    private float* _learned;
    private float _share;
    private int _faults;

    private TaylorMemory(RunningImportance running, int window, long elements) =>
        (_running, _window, _elements) = (running, window, elements);

    /// <summary>a·w, in memory that extends a vector beyond the last weight.</summary>
    public float* Competing { get; private set; }

    /// <summary>Whether memory scopes support the importance of a mask: magnitude, or Taylor importance of single weights.</summary>
    public static bool Supports(PdpMask mask) => mask is { Importance: null } or { Importance.Rule: Taylor, Strategy: Unstructured };

    /// <summary>Makes it for a mask; null if the weights compete by magnitude.</summary>
    public static TaylorMemory? For(PdpMask mask) => mask.Importance is { Rule: Taylor taylor } running
        ? new(running, taylor.Window, mask.Layout.Elements)
        : null;

    /// <summary>Finds the memory; false before the first gradient, or if a is not contiguous.</summary>
    public bool Find()
    {
        if (_running.Sensitivity is not { } sensitivity)
            return false;

        _product ??= New(_elements + Lanes.Most);
        _next ??= New(sensitivity.shape);
        _sensitivity = NativeTensor.Elements(sensitivity.Handle, _elements);
        _learned = NativeTensor.Elements(_next.Handle, _elements);
        Competing = (float*)NativeTensor.Data(_product.Handle);
        _share = (float)(1.0 / Math.Min(_running.Gradients + 1, _window));
        _faults = 0;
        return _sensitivity is not null && _learned is not null;
    }

    /// <summary>Computes a·w of a piece.</summary>
    public void Measure(int piece, float* weight)
    {
        var (start, length) = UnstructuredKernel.Extent(piece, _elements);
        TaylorPass.Multiply(_sensitivity + start, weight + start, Competing + start, length);
    }

    /// <summary>Learns from the gradient ∂L/∂ŵ of a piece.</summary>
    public void Learn(int piece, float* gradient)
    {
        var (start, length) = UnstructuredKernel.Extent(piece, _elements);
        if (!TaylorPass.Learn(_sensitivity + start, gradient + start, _learned + start, _share, length))
            Interlocked.Increment(ref _faults);
    }

    /// <summary>Takes over what was learned, after all pieces; a gradient that is not finite leaves a as it is.</summary>
    public void Accept()
    {
        if (_faults == 0)
            _next = _running.Exchange(_next!);
        else
            _running.Skip();
    }

    /// <summary>Releases the memory, which the next scope would make again.</summary>
    public void Forget()
    {
        _product?.Dispose();
        _next?.Dispose();
        (_product, _next) = (null, null);
    }

    public void Dispose() => Forget();

    private static Tensor New(params long[] shape)
    {
        using var scope = NewDisposeScope();
        using var _ = inference_mode(false);
        return empty(shape, ScalarType.Float32, CPU).DetachFromDisposeScope();
    }
}
