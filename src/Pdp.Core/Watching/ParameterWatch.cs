using Pdp.Numerics.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Watching;

/// <summary>
/// Detects whether a parameter has changed between two looks at it and examines its gradient, without waiting or allocating memory.
/// </summary>
/// <remarks>
/// A change is visible in autograd's version counter of the tensor, even for a step with a learning rate of 0, and, for code that writes to
/// memory directly, in a sample of the elements.
/// </remarks>
/// <param name="name">The parameter's name, for messages.</param>
/// <param name="parameter">The parameter, borrowed.</param>
internal sealed unsafe class ParameterWatch(string name, Parameter parameter)
{
    /// <summary>The number of elements in a sample; a few suffice, as a step changes nearly all of them.</summary>
    private const int Sampled = 32;

    private readonly long _elements = parameter.numel();
    private (long Version, int Sample) _last;
    private (long Version, int Sample) _gradient;
    private bool _carriedGradient;
    private bool _hasTrainingStep;
    private bool _carriesGradient;

    public string Name => name;

    /// <summary>Whether the parameter has changed since the last mask scope.</summary>
    public bool HasStepped { get; private set; }

    /// <summary>
    /// The number of steps, each between two scopes in which gradients arrived, since a scope last found the earlier gradient to be zero.
    /// </summary>
    public int StepsWithoutZero { get; private set; }

    /// <summary>Whether there was a gradient at the end of the last scope.</summary>
    public bool HadGradient { get; private set; }

    /// <summary>Whether there is a gradient, zero or not.</summary>
    public bool HasGradient
    {
        get
        {
            var gradient = Gradient();
            NativeTensor.Release(gradient);
            return gradient != 0;
        }
    }

    /// <summary>Whether a nonzero gradient was seen after a scope that ended without one.</summary>
    public bool HasSeenGradient { get; private set; }

    /// <summary>Whether the parameter changed before the last look, with a new gradient that was not read, as that takes waiting.</summary>
    public bool MayBeTrained { get; private set; }

    /// <summary>
    /// Checks whether the parameter has changed since the last look, with a new nonzero gradient; averaged weights that are swapped in have
    /// none.
    /// </summary>
    /// <param name="mayWait">Whether to read a gradient on a device other than the CPU, for which the step has to wait.</param>
    public bool Look(bool mayWait)
    {
        var now = Sign();
        var isChanged = now != _last;
        _last = now;
        HasStepped |= isChanged;
        _hasTrainingStep |= isChanged;
        var gradient = GradientSign();
        var hasNewGradient = isChanged && gradient != _gradient && gradient != default;
        _gradient = gradient;
        MayBeTrained = hasNewGradient && !IsReadable(mayWait);
        var isTrained = hasNewGradient && CarriesGradient(mayWait);
        HasSeenGradient |= isTrained && !_carriedGradient;
        return isTrained;
    }

    /// <summary>Reads whether there is a nonzero gradient.</summary>
    public bool CarriesGradient() => CarriesGradient(mayWait: true);

    /// <summary>Accepts the parameter as it is, at the end of a scope or after the library itself has changed it.</summary>
    /// <param name="mayWait">Whether to read a gradient on a device other than the CPU, for which the step has to wait.</param>
    public void Accept(bool mayWait)
    {
        Refresh();
        HasStepped = false;
        HadGradient = HasGradient;
        _carriedGradient = CarriesGradient(mayWait);
        HasSeenGradient = false;
    }

    /// <summary>Accepts the parameter as it is; observations so far still count.</summary>
    public void Refresh() => (_last, _gradient) = (Sign(), GradientSign());

    /// <summary>Examines the gradient that a scope is about to set aside.</summary>
    /// <param name="isSetAside">Whether the gradient is set aside.</param>
    /// <param name="mayWait">Whether to read a gradient on a device other than the CPU, for which the step has to wait.</param>
    public void Enter(bool isSetAside, bool mayWait) => _carriesGradient = isSetAside && CarriesGradient(mayWait);

    /// <summary>Counts a step whose gradient had not been zeroed; called at the end of a scope in which gradients arrived.</summary>
    public void Trained()
    {
        StepsWithoutZero = !_carriesGradient ? 0 : _hasTrainingStep ? StepsWithoutZero + 1 : StepsWithoutZero;
        _hasTrainingStep = false;
    }

    /// <summary>Resets the count.</summary>
    public void ForgetSteps() => StepsWithoutZero = 0;

    private (long Version, int Sample) Sign()
    {
        if (parameter.IsInvalid)
            return default;

        var sign = (NativeTensor.Version(parameter.Handle), Sample(NativeTensor.Elements(parameter.Handle, _elements)));
        GC.KeepAlive(this);
        return sign;
    }

    private (long Version, int Sample) GradientSign()
    {
        var gradient = Gradient();
        if (gradient == 0)
            return default;

        var sign = (NativeTensor.Version(gradient), Sample(NativeTensor.Elements(gradient, _elements)));
        NativeTensor.Release(gradient);
        return sign;
    }

    private bool CarriesGradient(bool mayWait)
    {
        var gradient = Gradient();
        if (gradient == 0)
            return false;

        try
        {
            var elements = NativeTensor.Elements(gradient, _elements);
            return elements is null ? IsNonzero(mayWait) : Sample(elements) != 0;
        }
        finally
        {
            NativeTensor.Release(gradient);
        }
    }

    /// <summary>The value of the sample for gradients that are not plain float32 memory.</summary>
    private bool IsNonzero(bool mayWait)
    {
        if (!IsReadable(mayWait))
            return false;

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return parameter.grad is { } gradient && gradient.to_dense().count_nonzero().cpu().ReadCpuInt64(0) > 0;
    }

    private bool IsReadable(bool mayWait) => mayWait || parameter.device_type == DeviceType.CPU;

    /// <summary>A handle of the gradient, to be released; 0 if there is none.</summary>
    private nint Gradient()
    {
        var gradient = parameter.IsInvalid ? 0 : NativeTensor.Gradient(parameter.Handle);
        GC.KeepAlive(this);
        return gradient;
    }

    /// <summary>A hash of elements spread over the memory; 0 if all of them are 0 or there are none.</summary>
    private int Sample(float* elements)
    {
        if (elements is null)
            return 0;

        var hash = 0;
        for (var i = 0L; i < Math.Min(_elements, Sampled); i++)
        {
            // Multiples of the golden ratio spread evenly and don't line up with rows, as every n-th element may.
            var place = _elements <= Sampled ? i : (long)Math.BigMul((ulong)i * 0x9E3779B97F4A7C15, (ulong)_elements, out _);
            // The bits are doubled so that −0 counts as zero.
            var bits = BitConverter.SingleToInt32Bits(elements[place]) << 1;
            if (bits != 0)
                hash = (hash * 31) + bits + 1;
        }

        return hash;
    }
}
