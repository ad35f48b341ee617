using Pdp.Baselines.Internal;
using Pdp.Baselines.Runs;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Baselines;

/// <summary>
/// SR-STE, the sparse-refined straight-through estimator of "Learning N:M fine-grained structured sparse neural networks from scratch"
/// (Zhou et al., ICLR 2021).
/// </summary>
/// <remarks>
/// <para>
/// ŵ = M·w, where M keeps the largest |w| of each group and is recomputed in every step, and ∂L/∂w = g + λ·(1 − M)·w: straight-through,
/// with a decay on removed weights that keeps masks from oscillating. Applies from the first step on by default. Supports N:M and
/// unstructured.
/// </para>
/// <para>
/// The decay is added once per step, with its first gradient, into however many scopes and backward passes the step is divided. A step
/// begins when the weights have changed or the gradient was zeroed. If the loss is scaled up inside the scope and the gradient down after
/// it, the decay is scaled down too: raise <see cref="Decay"/> accordingly.
/// </para>
/// </remarks>
public sealed record SrSte : IPruningMethod
{
    /// <summary>λ, the decay of removed weights.</summary>
    /// <value>At least 0; default 2e-4, the paper's. 0 gives <see cref="Dnw"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double Decay { get; init => field = Ask.NotNegative(value); } = 2e-4;

    /// <inheritdoc/>
    public string Name => "SR-STE";

    /// <inheritdoc/>
    public PdpOptions Configure(PdpOptions options)
    {
        Ask.Strategies(options, Name, Strategy.NofM, Strategy.Unstructured);
        return options.Schedule is null ? options with { Schedule = new ConstantSparsity() } : options;
    }

    /// <inheritdoc/>
    public IMethodRun Attach(IReadOnlyList<MethodLayer> layers) => new Run(layers, Decay);

    private sealed class Run(IReadOnlyList<MethodLayer> layers, double decay) : HardMaskRun(layers)
    {
        private readonly Scalar _decay = decay.ToScalar();
        private readonly bool[] _isOwed = new bool[layers.Count];

        public override bool CountsSteps => true;

        public override void BeginStep(int layer) => _isOwed[layer] = true;

        public override Tensor Backward(int layer, Tensor weight, Tensor upstream)
        {
            ArgumentNullException.ThrowIfNull(upstream);
            if (!_isOwed[layer])
                return upstream.clone();

            _isOwed[layer] = false;
            using var scope = NewDisposeScope();
            var removed = weight.mul(Spread(layer, weight).logical_not());
            return upstream.add(removed, _decay).MoveToOuterDisposeScope();
        }

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            _decay.Dispose();
        }
    }
}
