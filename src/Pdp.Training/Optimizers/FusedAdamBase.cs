using Pdp.Training.Optimizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Training;

/// <summary>What <see cref="FusedAdam"/> and <see cref="FusedAdamW"/> share.</summary>
/// <remarks>
/// With gradient g, weight w and step k: m ← β₁·m + (1 − β₁)·g; v ← β₂·v + (1 − β₂)·g²;
/// w ← w − γ·m̂ / (√v̂ + ε) with m̂ = m / (1 − β₁ᵏ) and v̂ = v / (1 − β₂ᵏ), where AMSGrad uses the
/// largest v so far.
/// The state tensors are named <c>exp_avg</c>, <c>exp_avg_sq</c> and, for AMSGrad, <c>max_exp_avg_sq</c>.
/// </remarks>
public abstract class FusedAdamBase : FusedOptimizer
{
    private readonly AdamOptions _options;
    private readonly double _weightDecay;

    private protected FusedAdamBase(IEnumerable<ParameterGroup> groups, AdamOptions options, double defaultDecay)
        : base(groups, options.LearningRate, StateNames(options))
    {
        (_options, _weightDecay) = (options, options.WeightDecay ?? defaultDecay);
        if (options.Epsilon > 0 && (Half)options.Epsilon == Half.Zero
            && parameters().Any(parameter => parameter.dtype == ScalarType.Float16))
        {
            Dispose();
            throw new ArgumentException(
                $"Epsilon is {options.Epsilon}, which is 0 in float16, so that small gradients would make weights NaN: "
                + "set it to at least 1e-7, or train in bfloat16 or float32.",
                nameof(options));
        }
    }

    /// <summary>Whether the decay acts on the weight itself rather than through the gradient.</summary>
    private protected abstract bool IsDecoupled { get; }

    private static IReadOnlyList<string> StateNames(AdamOptions options) =>
        options.UsesAmsGrad ? ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"] : ["exp_avg", "exp_avg_sq"];

    private protected sealed override void ApplyTogether(UpdateBatch batch) => FusedKernels.Adam(
        batch.Parameters, batch.Gradients, batch.State(0), batch.State(1), _options.UsesAmsGrad ? batch.State(2) : [], batch.Steps + 1,
        batch.Group.LearningRate, _options.Beta1, _options.Beta2, batch.Group.WeightDecay ?? _weightDecay, _options.Epsilon, IsDecoupled);

    private protected sealed override void ApplyAlone(Update update)
    {
        var (slot, group) = (update.Slot, update.Slot.Group);
        var (weight, decay) = (slot.Parameter, group.WeightDecay ?? _weightDecay);
        using Scalar decayed = (1 - (group.LearningRate * decay)).ToScalar(), penalty = decay.ToScalar();
        using Scalar beta1 = _options.Beta1.ToScalar(), rest1 = (1 - _options.Beta1).ToScalar();
        using Scalar beta2 = _options.Beta2.ToScalar(), rest2 = (1 - _options.Beta2).ToScalar();
        if (IsDecoupled)
        {
            weight.mul_(decayed);
        }

        var gradient = IsDecoupled ? update.Gradient : update.Gradient.add(weight, penalty);
        var state = slot.RequireState();
        state[0].mul_(beta1).add_(gradient, rest1);
        state[1].mul_(beta2).addcmul_(gradient, gradient, rest2);
        var step = slot.Steps + 1;
        using Scalar rate = (-group.LearningRate / (1 - Math.Pow(_options.Beta1, step))).ToScalar();
        weight.addcdiv_(state[0], Denominator(state, step), rate);
    }

    // √v̂ + ε
    private Tensor Denominator(Tensor[] state, long step)
    {
        using Scalar correction = Math.Sqrt(1 - Math.Pow(_options.Beta2, step)).ToScalar();
        using Scalar epsilon = _options.Epsilon.ToScalar(), one = 1.ToScalar();
        if (_options.UsesAmsGrad)
        {
            state[2].copy_(maximum(state[2], state[1]));
        }

        return state[^1].sqrt().div_(correction).add_(epsilon, one);
    }
}
