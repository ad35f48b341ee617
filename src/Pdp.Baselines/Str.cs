using Pdp.Baselines.Internal;
using Pdp.Baselines.Runs;

namespace Pdp.Baselines;

/// <summary>STR, soft threshold weight reparameterization for learnable sparsity (Kusupati et al., ICML 2020).</summary>
/// <remarks>
/// <para>
/// ŵ = sign(w)·ReLU(|w| − σ(s)), the paper's S_g with g = σ and one learned s per layer: ∂L/∂w = g·1[|w| &gt; σ(s)] and ∂L/∂s = −σ′(s)·Σ
/// g·sign(w) over the weights that remain, with g = ∂L/∂ŵ. Give <see cref="PdpPruner.Parameters"/>, of shape <c>[1]</c> and named
/// <c>layer.weight.threshold</c>, to the optimizer, with the decay of the weights.
/// </para>
/// <para>
/// Sparsity is an outcome of <see cref="Start"/> and of the decay of s, so leave <see cref="PdpOptions.Sparsity"/>, the allocation, the
/// schedule and the bounds unset. Masks count once per epoch what σ(s) has removed, plans say 0, and commit is allowed at any time; it
/// writes ŵ, whose kept weights are smaller than w by σ(s). Weights that are exactly zero, or at or below the threshold, get no gradient
/// from the loss. If σ(s) exceeds all weights of a layer, ŵ is all zeros; the mask then counts the largest weight as kept. Supports
/// unstructured.
/// </para>
/// </remarks>
public sealed record Str : IPruningMethod
{
    /// <summary>The initial s of all layers; the larger it is, the earlier and the more weights are removed.</summary>
    /// <remarks>
    /// Far below −100 both σ(s) and σ′(s) are 0, and s moves by decay alone: as s·exp(−Λ), with Λ = λ/(1 − μ)·Σ(learning rate) for the
    /// decay λ of s and the momentum μ. Thresholds matter from about s = −5 on (σ(s) = 0.7 %). In a run of a length other than the paper's
    /// 100 epochs on ImageNet, a start of −5·exp(0.45·Λ) gets there after 45 % of Λ. If Λ is below 1, decay can't move s enough: give s its
    /// own decay, or start at the logit of a small |w|, ln(c/(1 − c)).
    /// </remarks>
    /// <value>Any finite float32; default −3200, the paper's for ResNet50 with λ = 2.25e-5.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is not finite.</exception>
    public double Start { get; init => field = Ask.Within(value, float.IsFinite((float)value), "(-∞, ∞)"); } = -3200;

    /// <inheritdoc/>
    public string Name => "STR";

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">
    /// The strategy is not unstructured, or a sparsity, a schedule, an allocation or sparsities of layers are set.
    /// </exception>
    public PdpOptions Configure(PdpOptions options)
    {
        Ask.Strategies(options, Name, Strategy.Unstructured);
        if (options.Sparsity is not null)
            throw new ArgumentException(
                "Sparsity is an outcome of STR, controlled by Start and by the decay of its thresholds: leave PdpOptions.Sparsity "
                + "unset.", nameof(options));
        if (options.Schedule is not (null or ConstantSparsity) || options.AutomaticStart is not null)
            throw new ArgumentException("STR learns when to remove: leave PdpOptions.Schedule and AutomaticStart unset.", nameof(options));
        if (options.Allocation is not EmergentSparsity)
            Ask.NoShares(options, Name, "learned thresholds");

        return options with { Allocation = new EmergentSparsity(), Schedule = new ConstantSparsity() };
    }

    /// <inheritdoc/>
    public IMethodRun Attach(IReadOnlyList<MethodLayer> layers) => new SoftThresholdRun(layers, Start);
}
