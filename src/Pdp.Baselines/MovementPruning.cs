using Pdp.Baselines.Internal;
using Pdp.Baselines.Runs;

namespace Pdp.Baselines;

/// <summary>MVP, movement pruning: adaptive sparsity by fine-tuning (Sanh, Wolf, Rush, NeurIPS 2020), with hard masks.</summary>
/// <remarks>
/// <para>
/// ŵ = M·w, where M keeps the largest scores S (not |S|) of each layer and is recomputed in every step: ∂L/∂w = g·M, and straight-through
/// ∂L/∂S = g·w for all weights, including the removed ones, with g = ∂L/∂ŵ, so that scores of weights that move away from 0 grow. S starts
/// at 0. The options' allocation decides the budget of each layer; the paper's is <see cref="Pdp.UniformSparsity"/>. By default the
/// library's cubic ramp. The soft variant, a threshold on σ(S) with a penalty, whose sparsity is an outcome, is not implemented.
/// </para>
/// <para>
/// Give <see cref="PdpPruner.Parameters"/>, of the weights' shapes and named <c>layer.weight.score</c>, to the optimizer; the paper's is
/// AdamW at 1e-2, against 3e-5 for the weights, without decay. The method is meant for fine-tuning, and is weak when training from scratch.
/// </para>
/// <para>
/// Supports unstructured and channel. Each channel has one score, <c>[1, channels]</c> in all, whose gradient is Σ(g·θ) over the parameters
/// masked with it. A removed channel before a norm gets none, so it comes back only if scores of kept channels fall below its own.
/// </para>
/// </remarks>
public sealed record MovementPruning : IPruningMethod
{
    /// <inheritdoc/>
    public string Name => "MVP";

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A strategy is neither unstructured nor per channel.</exception>
    public PdpOptions Configure(PdpOptions options) => Ask.Strategies(options, Name, Strategy.Unstructured, Strategy.PerChannel);

    /// <inheritdoc/>
    public IMethodRun Attach(IReadOnlyList<MethodLayer> layers) => new ScoreRun(layers);
}
