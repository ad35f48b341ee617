using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>
/// A fault in tensors: read at once on the CPU, recorded on other devices and read on request, so that a step doesn't wait.
/// </summary>
/// <remarks>Owns a 0-dimensional tensor.</remarks>
/// <param name="device">The device of the tensors.</param>
internal sealed class DeferredCheck(DeviceType device) : IDisposable
{
    private Tensor? _seen;

    /// <summary>Notes a condition, a 0-dimensional bool; true if it is already known to hold.</summary>
    public bool Note(Tensor condition)
    {
        if (device == DeviceType.CPU)
            return condition.ReadCpuBool(0);

        // A tensor made in inference mode could not be changed outside of it.
        using var inference = inference_mode(false);
        using var _ = no_grad();
        if (_seen is null)
            _seen = condition.clone().DetachFromDisposeScope();
        else
            _seen.logical_or_(condition);
        return false;
    }

    /// <summary>Whether a condition noted since the last call held; waits for the device.</summary>
    public bool Take()
    {
        using var seen = _seen;
        _seen = null;
        using var read = seen?.cpu();
        return read?.ReadCpuBool(0) ?? false;
    }

    public void Dispose()
    {
        _seen?.Dispose();
        _seen = null;
    }
}
