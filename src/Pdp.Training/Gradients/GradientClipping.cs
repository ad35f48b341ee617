using Pdp.Internal;
using Pdp.Training.Gradients;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Training;

/// <summary>Clips gradients in place, between the backward pass and the optimizer's step.</summary>
/// <remarks>
/// With a pruner, clip after the scope of <c>Mask()</c> has ended: inside, gradients are those of the masked weights. Everything is
/// computed on the device of the gradients, and the host does not wait for it. A tied parameter counts once; one without a gradient is left
/// out.
/// </remarks>
public static class GradientClipping
{
    /// <summary>
    /// Scales all gradients by the same factor so that their norm is at most c, as PyTorch's <c>clip_grad_norm_</c> does:
    /// g ← g·min(1, c/(‖g‖₂ + 10⁻⁶)), where ‖g‖₂ is the norm over all gradients together.
    /// </summary>
    /// <param name="parameters">The parameters, such as <c>model.named_parameters()</c>.</param>
    /// <param name="maximum">The largest norm c, in (0, ∞).</param>
    /// <param name="nonFinite">What to do about NaN and infinity; nothing by default, as in PyTorch.</param>
    /// <returns>
    /// The norm before clipping, [], on the device of the first gradient; float64 if a gradient is, else float32. 0 without gradients. The
    /// caller owns it.
    /// </returns>
    /// <exception cref="ArgumentNullException"><paramref name="parameters"/> or a parameter in it is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">
    /// An argument is outside its range, or <paramref name="maximum"/> outside that of the norm's type; nothing has changed then.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// A gradient can't be clipped, as it is sparse, holds no real floating-point numbers, or is an expanded view; or a parameter was
    /// disposed. Nothing has changed then.
    /// </exception>
    /// <exception cref="NotFiniteNumberException">
    /// The norm is not finite, and <paramref name="nonFinite"/> is <see cref="NonFiniteGradients.Throw"/>; nothing has changed then.
    /// </exception>
    public static Tensor ByNorm(
        IEnumerable<(string name, Parameter parameter)> parameters, double maximum,
        NonFiniteGradients nonFinite = NonFiniteGradients.Keep)
    {
        Guard.Positive(maximum, nameof(maximum));
        if (!Enum.IsDefined(nonFinite))
        {
            throw Guard.Outside(nameof(nonFinite), nonFinite, string.Join(", ", Enum.GetNames<NonFiniteGradients>()));
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var gradients = GradientSet.Of(parameters);
        gradients.RequireNormHolds(maximum);
        var norm = gradients.Norm();
        if (nonFinite == NonFiniteGradients.Throw)
        {
            gradients.RequireFinite(norm);
        }

        gradients.Limit(norm, maximum);
        if (nonFinite == NonFiniteGradients.Zero)
        {
            gradients.ZeroUnlessFinite(norm);
        }

        return norm.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Clamps each number of each gradient, g ← max(−c, min(c, g)), as PyTorch's <c>clip_grad_value_</c> does. NaN stays NaN.
    /// </summary>
    /// <param name="parameters">The parameters, such as <c>model.named_parameters()</c>.</param>
    /// <param name="maximum">The largest magnitude c, in (0, ∞).</param>
    /// <exception cref="ArgumentNullException"><paramref name="parameters"/> or a parameter in it is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="maximum"/> is outside its range, or that of a gradient's type, such as 65504 for float16; nothing has changed then.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// A gradient can't be clipped, as it is sparse, holds no real floating-point numbers, or is an expanded view; or a parameter was
    /// disposed. Nothing has changed then.
    /// </exception>
    public static void ByValue(IEnumerable<(string name, Parameter parameter)> parameters, double maximum)
    {
        Guard.Positive(maximum, nameof(maximum));
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var gradients = GradientSet.Of(parameters);
        gradients.RequireHold(maximum);
        gradients.Clamp(maximum);
    }
}
