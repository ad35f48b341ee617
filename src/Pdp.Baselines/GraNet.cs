using Pdp.Baselines.Internal;
using Pdp.Baselines.Runs;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Baselines;

/// <summary>
/// GraNet, gradual pruning with zero-cost neuroregeneration (Liu et al., "Sparse training via boosting pruning plasticity with
/// neuroregeneration", NeurIPS 2021).
/// </summary>
/// <remarks>
/// <para>
/// ŵ = M·w and ∂L/∂w = g·M; removed weights are zero in the weight itself. Every <see cref="Interval"/> the mask is updated in two stages.
/// While the schedule rises, the largest |w| of all layers together are kept, as many as it asks for. Then, until the end of the run, each
/// layer drops the fraction q of its remaining weights, the smallest ⌊q·K⌋ of K, and grows as many among all weights that are then
/// inactive, those with the largest |g| in the last step, summed over the scopes of the step. Weights that were removed before start at 0;
/// weights that have just been dropped keep their value. The fraction falls along a cosine over the run, from <see cref="Regeneration"/> to
/// 0.005.
/// </para>
/// <para>
/// Supports unstructured. Each layer keeps at least one weight. Goes from dense to sparse, by default with the library's own cubic ramp. If
/// an allocation other than <see cref="Pdp.GlobalMagnitude"/> is set, it gives each layer its count in the first stage.
/// Keeps a copy of the gradients.
/// </para>
/// <para>
/// The authors also mask the momentum after each step. The training loop may do this: zero the momentum of zero weights before an update,
/// so that grown weights start at rest. It matters little, as the gradient is masked: a removed weight's momentum decays to below a
/// thousandth within 66 steps at 0.9, so it only affects weights that were dropped within some dozens of steps before they grow again.
/// </para>
/// </remarks>
public sealed record GraNet : IPruningMethod
{
    /// <summary>The authors' fraction that is regenerated at the end of the run.</summary>
    private const double LastRegeneration = 0.005;

    /// <summary>
    /// The number of updates in a run: the authors' interval of 1000 steps on CIFAR-10 with batches of 128 is about 2.5 of 160 epochs.
    /// </summary>
    private const double UpdatesPerRun = 64;

    /// <summary>The minimum time between two updates of the mask.</summary>
    /// <value>
    /// In epochs, at least 0, which updates at each <see cref="PdpPruner.BeginEpoch(double)"/>. The default, null, means a 64th of the run.
    /// </value>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double? Interval { get; init => field = value is { } interval ? Ask.NotNegative(interval) : null; }

    /// <summary>q, the fraction of a layer's remaining weights that an update regenerates at the start of the run.</summary>
    /// <value>In [0, 1); default 0.5, the paper's. 0 prunes by magnitude alone; a fraction below 0.005 does not fall.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of range.</exception>
    public double Regeneration { get; init => field = Ask.Fraction(value); } = 0.5;

    /// <inheritdoc/>
    public string Name => "GraNet";

    /// <summary>Whether layers are ranked together in the first stage.</summary>
    private bool IsGlobal { get; init; } = true;

    /// <summary>The length of the run in epochs; null until the options are known.</summary>
    private double? Epochs { get; init; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">
    /// The strategy is not unstructured, or layers are ranked together and the options assign sparsities, bounds or a density floor to
    /// them.
    /// </exception>
    public PdpOptions Configure(PdpOptions options)
    {
        Ask.Strategies(options, Name, Strategy.Unstructured);
        return Ask.WithoutFloor(options) with
        {
            Method = this with { IsGlobal = Ask.RanksGlobally(options, Name), Epochs = options.Epochs },
        };
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">This is not the method in the options that <see cref="Configure"/> returned.</exception>
    public IMethodRun Attach(IReadOnlyList<MethodLayer> layers) =>
        new Run(layers, this, Epochs ?? throw new InvalidOperationException(
            "The length of the run is not known: attach the method in the options that Configure(options) returns."));

    /// <summary>q at an epoch.</summary>
    private double RegenerationAt(double epoch, double epochs)
    {
        var last = Math.Min(LastRegeneration, Regeneration);
        return last + ((Regeneration - last) * (1 + Math.Cos(Math.PI * Math.Min(1, epoch / epochs))) / 2);
    }

    private sealed class Run(IReadOnlyList<MethodLayer> layers, GraNet method, double epochs) : StandingMaskRun(layers, method.IsGlobal)
    {
        private static readonly Scalar AboveAll = double.PositiveInfinity.ToScalar();
        private static readonly Scalar One = 1.ToScalar();

        private readonly Clock _clock = new(method.Interval ?? (epochs / UpdatesPerRun));
        private readonly Tensor?[] _gradients = new Tensor?[layers.Count];
        private readonly bool[] _isNewStep = new bool[layers.Count];
        private long _scheduled;

        public override bool CountsSteps => true;

        public override void Begin(double epoch)
        {
            // Momentum may have moved removed weights, but grown weights must start at 0.
            ZeroRemoved();
            var scheduled = Layers.Sum(layer => layer.Mask.Removed);
            var rises = scheduled != _scheduled;
            var isAtTarget = scheduled == Layers.Sum(layer => layer.Mask.Target);
            // The target is met exactly, whatever the interval.
            var isDue = _clock.IsDue(epoch);
            if (!isDue && !(rises && isAtTarget))
            {
                KeepCounts();
                return;
            }

            if (rises)
                TakeAll();
            else
                KeepCounts();
            Regenerate(method.RegenerationAt(epoch, epochs));
            // Comes after everything that may fail, so that it is repeated in that case.
            _scheduled = scheduled;
            if (isDue)
                _clock.Note(epoch);
        }

        public override void BeginStep(int layer) => _isNewStep[layer] = true;

        public override Tensor Backward(int layer, Tensor weight, Tensor upstream)
        {
            ArgumentNullException.ThrowIfNull(upstream);
            if (_gradients[layer] is not { } sum)
                _gradients[layer] = upstream.clone().DetachFromDisposeScope();
            else if (_isNewStep[layer])
                sum.copy_(upstream);
            else
                sum.add_(upstream, One);
            _isNewStep[layer] = false;
            return base.Backward(layer, weight, upstream);
        }

        protected override Tensor Score(int layer, Tensor weight) => MagnitudeOfKept(layer, weight);

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            for (var layer = 0; layer < _gradients.Length; layer++)
                Forget(layer);
        }

        /// <summary>The second stage, for layers that have removed weights and a known gradient.</summary>
        private void Regenerate(double share)
        {
            for (var layer = 0; layer < Layers.Count; layer++)
            {
                if (_gradients[layer] is { } gradient && Removed(layer) is > 0 and { } removed)
                    Regenerate(layer, gradient, removed, share);
                // A gradient is used once: weights grown by it must learn before they can be dropped.
                Forget(layer);
            }

            ZeroRemoved();
        }

        private void Regenerate(int layer, Tensor gradient, long removed, double share)
        {
            using var scope = NewDisposeScope();
            var mask = Layers[layer].Mask;
            Layers[layer].Remove(removed + (long)(share * (mask.Members - removed)));
            var remaining = mask.KeptBy(Score(layer, Weight(layer)));
            Layers[layer].Remove(removed);
            // Weights whose gradient is not finite don't grow before others.
            var known = gradient.abs().nan_to_num_(nan: 0, posinf: 0, neginf: 0);
            var growth = mask.Strategy.Sum(known, mask.Layout).masked_fill_(remaining, AboveAll);
            Take(layer, mask.KeptBy(growth));
        }

        private void Forget(int layer)
        {
            _gradients[layer]?.Dispose();
            _gradients[layer] = null;
        }
    }
}
