using System.Globalization;
using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Training.Gradients;

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

    /// <exception cref="InvalidOperationException">A gradient can't be changed in place, or a parameter was disposed.</exception>
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

    /// <exception cref="ArgumentOutOfRangeException">The bound of the norm overflows or is 0 in the norm's type.</exception>
    public void RequireNormHolds(double maximum) => RequireHolds(NormType, maximum, "the norm");

    /// <exception cref="ArgumentOutOfRangeException">A bound overflows or is 0 in a gradient's type.</exception>
    public void RequireHold(double maximum)
    {
        foreach (var (name, gradient) in _all.DistinctBy(entry => entry.Gradient.dtype))
        {
            RequireHolds(gradient.dtype, maximum, $"the gradient of '{name}'");
        }
    }

    /// <summary>√Σ‖gᵢ‖², in float32 at least; waits for nothing.</summary>
    public Tensor Norm()
    {
        if (_all.Length == 0)
        {
            return zeros([], ScalarType.Float32, CPU);
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

        if (parameter.grad is not { } gradient)
        {
            return null;
        }

        return Obstacle(gradient) is not { } obstacle
            ? gradient
            : throw new InvalidOperationException($"The gradient of '{name}' {obstacle}");
    }

    // Why a gradient can't be clipped in place; found before any gradient is clipped.
    private static string? Obstacle(Tensor gradient) =>
        gradient.is_sparse ? "is sparse, which clipping does not support: make its layer with sparse: false."
        : !gradient.is_floating_point() ? $"is {gradient.dtype}, and only real floating-point numbers can be clipped."
        : ExpandedView.Is(gradient) ? "is an expanded view, whose numbers share their memory: give the parameter grad.contiguous() instead."
        : null;

    private static void RequireHolds(ScalarType type, double maximum, string whose)
    {
        var limits = finfo(type);
        var smallest = limits.tiny * limits.eps;
        if (!(maximum >= smallest && maximum <= limits.max))
        {
            throw Guard.Outside(nameof(maximum), maximum,
                string.Create(CultureInfo.InvariantCulture, $"[{smallest:g3}, {limits.max:g6}] for {type}, the type of {whose}"));
        }
    }
}
