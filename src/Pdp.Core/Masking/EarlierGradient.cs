using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>The gradient that a parameter has before a scope: set aside, so that only what arrives inside is corrected, and added up behind it.</summary>
/// <remarks>Owns it in between.</remarks>
internal sealed class EarlierGradient(Parameter parameter) : IDisposable
{
    private static readonly Scalar One = 1.ToScalar();

    private Tensor? _gradient;

    /// <summary>Whether there is nothing in what was set aside; waits for the device if there is a gradient.</summary>
    public bool IsZero() => _gradient is null || !_gradient.to_dense().any().cpu().ReadCpuBool(0);

    public void SetAside()
    {
        _gradient = parameter.grad?.DetachFromDisposeScope();
        parameter.grad = null;
    }

    /// <summary>Takes one that was set aside otherwise.</summary>
    public void Take(Tensor? gradient) => _gradient = gradient?.DetachFromDisposeScope();

    /// <summary>Puts it back, with what has arrived, which is dense.</summary>
    public void PutBack()
    {
        if (_gradient is null)
            return;

        using var arrived = parameter.grad;
        parameter.grad = _gradient;
        if (arrived is not null)
        {
            using var whole = DenseGradient.Of(parameter);
            whole!.add_(arrived, One);
        }

        Dispose();
    }

    /// <summary>Puts it back in the place of what has arrived, which could not be corrected.</summary>
    public void Rescue()
    {
        parameter.grad = _gradient;
        Dispose();
    }

    public void Dispose()
    {
        _gradient?.Dispose();
        _gradient = null;
    }
}
