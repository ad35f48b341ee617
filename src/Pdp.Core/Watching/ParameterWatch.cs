using Pdp.Numerics.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Watching;

/// <summary>Sees whether a parameter was changed between two looks at it, and what its gradient is like, without waiting or allocating.</summary>
/// <remarks>
/// A change shows in the number that autograd counts for each tensor, so that a step with a learning rate of 0 shows too; and in a sample of
/// the numbers themselves, for code that writes to memory.
/// </remarks>
/// <param name="name">What the parameter is, for messages.</param>
/// <param name="parameter">The parameter, borrowed.</param>
internal sealed unsafe class ParameterWatch(string name, Parameter parameter)
{
    /// <summary>The elements of a sample: a step changes nearly all, so that few tell.</summary>
    private const int Sampled = 32;

    private readonly long _elements = parameter.numel();
    private (long Version, int Sample) _last;
    private (long Version, int Sample) _gradient;
    private bool _carriedGradient;
    private bool _hasTrainingStep;
    private bool _carriesGradient;

    public string Name => name;

    /// <summary>Whether the parameter was changed since the last mask scope.</summary>
    public bool HasStepped { get; private set; }

    /// <summary>The steps, each between two scopes in which gradients arrived, since the second of them found its earlier gradient to be zero.</summary>
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

    /// <summary>Whether a gradient that is not 0 was seen after a scope at whose end there was none.</summary>
    public bool HasSeenGradient { get; private set; }

    /// <summary>Looks whether the parameter was changed since the last look, with a new gradient that is not 0; averages swapped in have none.</summary>
    /// <param name="mayWait">Whether a gradient on another device than the CPU may be asked, for which the step waits.</param>
    public bool Look(bool mayWait)
    {
        var now = Sign();
        var isChanged = now != _last;
        _last = now;
        HasStepped |= isChanged;
        _hasTrainingStep |= isChanged;
        var gradient = GradientSign();
        var isTrained = isChanged && gradient != _gradient && CarriesGradient(mayWait);
        _gradient = gradient;
        HasSeenGradient |= isTrained && !_carriedGradient;
        return isTrained;
    }

    /// <summary>Takes the parameter as it is, at the end of a scope or after the library itself has changed it.</summary>
    /// <param name="mayWait">Whether a gradient on another device than the CPU may be asked, for which the step waits.</param>
    public void Accept(bool mayWait)
    {
        Refresh();
        HasStepped = false;
        HadGradient = HasGradient;
        _carriedGradient = CarriesGradient(mayWait);
        HasSeenGradient = false;
    }

    /// <summary>Takes the parameter as it is, and keeps what was seen.</summary>
    public void Refresh() => (_last, _gradient) = (Sign(), GradientSign());

    /// <summary>Looks at the gradient that a scope is about to set aside.</summary>
    /// <param name="isSetAside">Whether it is.</param>
    /// <param name="mayWait">Whether a gradient on another device than the CPU may be asked, for which the step waits.</param>
    public void Enter(bool isSetAside, bool mayWait) => _carriesGradient = isSetAside && CarriesGradient(mayWait);

    /// <summary>Counts, at the end of a scope in which gradients arrived, a step whose gradient was still there.</summary>
    public void Trained()
    {
        StepsWithoutZero = !_carriesGradient ? 0 : _hasTrainingStep ? StepsWithoutZero + 1 : StepsWithoutZero;
        _hasTrainingStep = false;
    }

    /// <summary>Counts from 0 again.</summary>
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

        var elements = NativeTensor.Elements(gradient, _elements);
        var carries = elements is null ? IsNonzero(mayWait) : Sample(elements) != 0;
        NativeTensor.Release(gradient);
        return carries;
    }

    /// <summary>What the sample says, for gradients that are not plain float32 memory.</summary>
    private bool IsNonzero(bool mayWait)
    {
        if (!mayWait && parameter.device_type != DeviceType.CPU)
            return false;

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return parameter.grad is { } gradient && gradient.to_dense().count_nonzero().cpu().ReadCpuInt64(0) > 0;
    }

    /// <summary>A handle of the gradient, to be released; 0 if there is none.</summary>
    private nint Gradient()
    {
        var gradient = parameter.IsInvalid ? 0 : NativeTensor.Gradient(parameter.Handle);
        GC.KeepAlive(this);
        return gradient;
    }

    /// <summary>A hash over elements spread over the memory, 0 where all of them are 0 or there are none.</summary>
    private int Sample(float* elements)
    {
        if (elements is null)
            return 0;

        var hash = 0;
        var stride = Math.Max(1, _elements / Sampled);
        for (var i = 0L; i < _elements; i += stride)
        {
            // Twice the bits, as −0 is a zero too.
            var bits = BitConverter.SingleToInt32Bits(elements[i]) << 1;
            if (bits != 0)
                hash = (hash * 31) + bits + 1;
        }

        return hash;
    }
}
