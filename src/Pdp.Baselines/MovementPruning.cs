using Pdp.Baselines.Internal;
using Pdp.Baselines.Runs;

namespace Pdp.Baselines;

/// <summary>MVP, movement pruning: adaptive sparsity by fine-tuning (Sanh, Wolf, Rush, NeurIPS 2020), with hard masks.</summary>
/// <remarks>
/// <para>
/// ŵ = M·w, where M keeps the largest scores S of each layer, not |S|, taken anew in every step: ∂L/∂w = g·M, and straight-through
/// ∂L/∂S = g·w for all weights, also the removed ones, with g = ∂L/∂ŵ, so that scores of weights that move away from 0 grow. S starts at 0. The
/// budget of each layer is the options' allocation; the paper's is <see cref="Pdp.UniformSparsity"/>. By default the library's cubic ramp.
/// The soft variant, a threshold on σ(S) with a penalty, whose sparsity is an outcome, is not implemented.
/// </para>
/// <para>
/// Give <see cref="PdpPruner.Parameters"/>, of the weights' shapes and named <c>layer.weight.score</c>, to the optimizer; the paper's is AdamW at
/// 1e-2, against 3e-5 for the weights, without decay. The method is made for fine-tuning, and weak where training begins from scratch.
/// </para>
/// <para>
/// Unstructured and channel. A channel has one score, <c>[1, channels]</c> for all, whose gradient is Σ(g·θ) over what is masked with it. A removed
/// channel behind a norm gets none, and so comes back only where scores of kept ones fall below its own.
/// </para>
/// </remarks>
public sealed record MovementPruning : IPruningMethod
{
    /// <inheritdoc/>
    public string Name => "MVP";

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A strategy is neither unstructured nor by channels.</exception>
    public PdpOptions Configure(PdpOptions options) => Ask.Strategies(options, Name, Strategy.Unstructured, Strategy.PerChannel);

    /// <inheritdoc/>
    public IMethodRun Attach(IReadOnlyList<MethodLayer> layers) => new ScoreRun(layers);
}
