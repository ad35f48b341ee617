using System.Numerics;
using Pdp.Numerics.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>The gradient of a parameter before a scope and the one that arrives inside, as native handles and memory.</summary>
/// <remarks>Borrows the parameter; owns the handles while a scope is open.</remarks>
internal sealed unsafe class GradientMemory(Parameter parameter, long count) : IDisposable
{
    private nint _before;
    private nint _arrived;

    /// <summary>Whether a gradient arrived in the scope.</summary>
    public bool HasArrived => _arrived != 0;

    /// <summary>Its memory; null if none arrived, or it is not contiguous float32.</summary>
    public float* Arrived { get; private set; }

    /// <summary>The memory of the earlier gradient; null unless both exist and are contiguous float32.</summary>
    public float* Before { get; private set; }

    /// <summary>Whether all gradients that exist are contiguous float32 memory.</summary>
    public bool IsPlain => !HasArrived || (Arrived is not null && (_before == 0 || Before is not null));

    /// <summary>Takes the gradient from the parameter, so that the one that arrives is separate.</summary>
    public void SetAside()
    {
        _before = NativeTensor.Gradient(parameter.Handle);
        if (_before != 0)
            NativeTensor.SetGradient(parameter.Handle, 0);
    }

    /// <summary>Finds the gradient that has arrived.</summary>
    public void Arrive()
    {
        _arrived = parameter.IsInvalid ? 0 : NativeTensor.Gradient(parameter.Handle);
        Arrived = _arrived == 0 ? null : NativeTensor.Elements(_arrived, count);
        Before = _before == 0 || Arrived is null ? null : NativeTensor.Elements(_before, count);
    }

    /// <summary>Adds the gradient that has arrived to the earlier one.</summary>
    public void AddUp()
    {
        if (Before is null)
            return;

        var i = 0L;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            (Vector.Load(Before + i) + Vector.Load(Arrived + i)).Store(Before + i);
        for (; i < count; i++)
            Before[i] += Arrived[i];
    }

    /// <summary>Puts the earlier gradient back into the parameter.</summary>
    public void PutBack()
    {
        if (_before != 0)
            NativeTensor.SetGradient(parameter.Handle, _before);
        Dispose();
    }

    /// <summary>The earlier gradient, for tensor operations; the caller's.</summary>
    public Tensor? TakeBefore()
    {
        Tensor? before = null;
        if (_before != 0 && !parameter.IsInvalid)
        {
            // A handle becomes a managed tensor only through the parameter.
            NativeTensor.SetGradient(parameter.Handle, _before);
            before = parameter.grad;
            NativeTensor.SetGradient(parameter.Handle, _arrived);
        }

        Dispose();
        return before;
    }

    public void Dispose()
    {
        NativeTensor.Release(_before);
        NativeTensor.Release(_arrived);
        (_before, _arrived) = (0, 0);
        Arrived = null;
        Before = null;
    }
}
