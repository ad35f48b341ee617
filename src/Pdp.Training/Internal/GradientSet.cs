using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Training.Internal;

/// <summary>The gradients of a model. It must be used within a dispose scope of the caller.</summary>
internal sealed class GradientSet
{
    private readonly (string Name, Tensor Gradient)[] _all;

    /// <summary>One array for each type and device, which a kernel takes together.</summary>
    private readonly Tensor[][] _parts;

    private GradientSet((string Name, Tensor Gradient)[] all) => (_all, _parts) = (all,
    [
        .. all.Select(entry => entry.Gradient)
            .GroupBy(gradient => (gradient.dtype, gradient.device_type, gradient.device_index)).Select(part => part.ToArray()),
    ]);

    private ScalarType NormType =>
        Array.Exists(_all, entry => entry.Gradient.dtype == ScalarType.Float64) ? ScalarType.Float64 : ScalarType.Float32;

    /// <exception cref="InvalidOperationException">A gradient is sparse, or a parameter was disposed.</exception>
    public static GradientSet Of(IEnumerable<(string name, Parameter parameter)> parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        var gradients = new List<(string, Tensor)>();
        var seen = new HashSet<nint>();
        foreach (var (name, parameter) in parameters)
        {
            if (Find(name, Guard.NotNull(parameter, nameof(parameters))) is { } gradient && seen.Add(TensorAddress.OfNative(parameter)))
            {
                gradients.Add((name, gradient));
            }
        }

        return new GradientSet([.. gradients]);
    }

    /// <summary>√Σ‖gᵢ‖², in float32 at least; waits for nothing.</summary>
    public Tensor Norm()
    {
        if (_all.Length == 0)
        {
            return zeros([]);
        }

        var device = _all[0].Gradient.device;
        return GradientKernels.Total([.. _parts.Select(part => GradientKernels.Norm(part).to(NormType, device))]);
    }

    /// <summary>g ← g·min(1, c/(‖g‖ + 10⁻⁶)).</summary>
    public void Limit(Tensor norm, double maximum)
    {
        foreach (var part in _parts)
        {
            GradientKernels.Limit(part, norm.to(part[0].device), maximum);
        }
    }

    /// <summary>g ← max(−c, min(c, g)).</summary>
    public void Clamp(double maximum)
    {
        foreach (var part in _parts)
        {
            GradientKernels.Clamp(part, maximum);
        }
    }

    /// <summary>g ← 0 where the norm isn't finite.</summary>
    public void ZeroUnlessFinite(Tensor norm)
    {
        foreach (var part in _parts)
        {
            GradientKernels.ZeroUnlessFinite(part, norm.to(part[0].device));
        }
    }

    /// <exception cref="NotFiniteNumberException">The norm isn't finite.</exception>
    public void RequireFinite(Tensor norm)
    {
        var value = norm.to(ScalarType.Float64, CPU).ReadCpuDouble(0);
        if (!double.IsFinite(value))
        {
            var wrong = Array.Find(_all, entry => entry.Gradient.isfinite().all().cpu().bytes[0] == 0).Name;
            throw new NotFiniteNumberException(
                wrong is null ? $"The norm of the gradients is {value}, too large for its type."
                    : $"The gradient of '{wrong}' holds NaN or infinity.",
                value);
        }
    }

    private static Tensor? Find(string name, Parameter parameter)
    {
        if (parameter.IsInvalid)
        {
            throw new InvalidOperationException($"Parameter '{name}' was disposed, as model.to(…) does: list the parameters again.");
        }

        return parameter.grad is not { is_sparse: true } gradient
            ? parameter.grad
            : throw new InvalidOperationException(
                $"The gradient of '{name}' is sparse, which clipping does not support: make its layer with sparse: false.");
    }
}
