using System.Numerics;
using Pdp.Numerics.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>The gradient of a parameter before a scope and the one that arrives inside, as native handles and memory.</summary>
/// <remarks>Borrows the parameter; owns the handles while a scope is open.</remarks>
internal sealed unsafe class NativeGradient(Parameter parameter, long count) : IDisposable
{
    private nint _before;
    private nint _arrived;

    /// <summary>Whether a gradient arrived in the scope.</summary>
    public bool HasArrived => _arrived != 0;

    /// <summary>Its memory; null if none arrived, or it is not plain.</summary>
    public float* Arrived { get; private set; }

    /// <summary>The memory of the one before, where both are there and plain.</summary>
    public float* Before { get; private set; }

    /// <summary>Whether what is there is plain float32 memory, side by side.</summary>
    public bool IsPlain => !HasArrived || (Arrived is not null && (_before == 0 || Before is not null));

    /// <summary>Takes the gradient away from the parameter, so that what arrives is on its own.</summary>
    public void SetAside()
    {
        _before = NativeTensor.Gradient(parameter.Handle);
        if (_before != 0)
            NativeTensor.SetGradient(parameter.Handle, 0);
    }

    /// <summary>Looks at what has arrived.</summary>
    public void Arrive()
    {
        _arrived = parameter.IsInvalid ? 0 : NativeTensor.Gradient(parameter.Handle);
        Arrived = _arrived == 0 ? null : NativeTensor.Elements(_arrived, count);
        Before = _before == 0 || Arrived is null ? null : NativeTensor.Elements(_before, count);
    }

    /// <summary>Adds what has arrived to what was before.</summary>
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

    /// <summary>Gives the parameter back what was set aside.</summary>
    public void PutBack()
    {
        if (_before != 0)
            NativeTensor.SetGradient(parameter.Handle, _before);
        Dispose();
    }

    /// <summary>What was set aside, for tensor operations; the caller's.</summary>
    public Tensor? TakeBefore()
    {
        Tensor? before = null;
        if (_before != 0 && !parameter.IsInvalid)
        {
            // The one way to a managed tensor of a handle is through the parameter.
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
