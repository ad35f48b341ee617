using Pdp.Baselines.Internal;
using Pdp.Baselines.Runs;
using Pdp.Methods;
using Pdp.Scheduling;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Baselines;

/// <summary>SR-STE, the sparse-refined straight-through estimator of "Learning N:M fine-grained structured sparse neural networks from scratch" (Zhou et al., ICLR 2021).</summary>
/// <remarks>
/// ŵ = M·w with the largest |w| of each group kept, taken anew in every step, and ∂L/∂w = g + λ·(1 − M)·w: straight-through, with a decay on
/// what is removed that keeps masks from changing to and fro. By default from the first step on. N:M and unstructured.
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

        public override Tensor Backward(int layer, Tensor weight, Tensor upstream)
        {
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
