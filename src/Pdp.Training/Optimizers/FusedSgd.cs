using Pdp.Training.Optimizers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Training;

/// <summary>Stochastic gradient descent with momentum, in the arithmetic of PyTorch's <c>SGD</c>.</summary>
/// <remarks>
/// With gradient g, weight w, momentum buffer b, learning rate γ, momentum μ, dampening δ and weight decay λ:
/// d = g + λ·w; b ← d at a parameter's first step, else b ← μ·b + (1 − δ)·d; w ← w − γ·b, or w − γ·(d + μ·b) for Nesterov's step.
/// Without momentum w ← w − γ·d. The state tensor is named <c>momentum_buffer</c>.
/// </remarks>
public sealed class FusedSgd : FusedOptimizer
{
    private readonly SgdOptions _options;

    /// <summary>Optimizes named parameters, in one group.</summary>
    /// <param name="parameters">The parameters, such as <c>model.named_parameters()</c>.</param>
    /// <param name="options">The settings.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">There is no parameter, one is given twice, or the options contradict each other.</exception>
    public FusedSgd(IEnumerable<(string name, Parameter parameter)> parameters, SgdOptions options)
        : this([new ParameterGroup(parameters)], options)
    {
    }

    /// <summary>Optimizes groups of parameters.</summary>
    /// <param name="groups">The groups; what they do not set comes from the options.</param>
    /// <param name="options">The settings.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">There is no parameter, one is given twice, or the options contradict each other.</exception>
    public FusedSgd(IEnumerable<ParameterGroup> groups, SgdOptions options)
        : base(groups, Checked(options).LearningRate, options.Momentum > 0 ? ["momentum_buffer"] : []) =>
        _options = options;

    private bool HasMomentum => _options.Momentum > 0;

    private protected override void ApplyTogether(UpdateBatch batch) => FusedKernels.Sgd(
        batch.Parameters, batch.Gradients, HasMomentum ? batch.State(0) : [],
        batch.Group.LearningRate, _options.Momentum, _options.Dampening, WeightDecay(batch.Group), _options.IsNesterov,
        isFirst: batch.Steps == 0);

    private protected override void ApplyAlone(Update update)
    {
        using Scalar rate = (-update.Slot.Group.LearningRate).ToScalar();
        update.Slot.Parameter.add_(Direction(update), rate);
    }

    private static SgdOptions Checked(SgdOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return !options.IsNesterov || (options.Momentum > 0 && options.Dampening == 0)
            ? options
            : throw new ArgumentException("Nesterov's step needs a Momentum above 0 and a Dampening of 0.", nameof(options));
    }

    private double WeightDecay(ParameterGroup group) => group.WeightDecay ?? _options.WeightDecay;

    private Tensor Direction(Update update)
    {
        using Scalar momentum = _options.Momentum.ToScalar();
        using Scalar share = (update.Slot.Steps == 0 ? 1 : 1 - _options.Dampening).ToScalar();
        var decayed = Decayed(update);
        if (!HasMomentum)
        {
            return decayed;
        }

        var buffer = update.Slot.RequireState()[0];
        buffer.mul_(momentum).add_(decayed, share);
        return _options.IsNesterov ? decayed.add(buffer, momentum) : buffer;
    }

    private Tensor Decayed(Update update)
    {
        using Scalar decay = WeightDecay(update.Slot.Group).ToScalar();
        return WeightDecay(update.Slot.Group) > 0 ? update.Gradient.add(update.Slot.Parameter, decay) : update.Gradient;
    }
}
