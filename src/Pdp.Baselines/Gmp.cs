using Pdp.Baselines.Internal;
using Pdp.Baselines.Runs;
using static TorchSharp.torch;

namespace Pdp.Baselines;

/// <summary>GMP, gradual magnitude pruning (Zhu, Gupta, "To prune, or not to prune", 2017).</summary>
/// <remarks>
/// ŵ = M·w with the largest |w| kept, ∂L/∂w = g·M. Zeros are written to the removed weights by the next
/// <see cref="PdpPruner.BeginEpoch(double)"/>, except in tied channels, and by the commit; they come back only if the schedule falls.
/// Supports unstructured, N:M and channels; the options' allocation decides the budget of each layer. By default the paper's cubic ramp,
/// from an eighth to four tenths of the run.
/// </remarks>
public sealed record Gmp : IPruningMethod
{
    /// <summary>The minimum time between two masks.</summary>
    /// <value>In epochs, at least 0; default 0, which takes a mask at each <see cref="PdpPruner.BeginEpoch(double)"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double Interval { get; init => field = Ask.NotNegative(value); }

    /// <inheritdoc/>
    public string Name => "GMP";

    /// <inheritdoc/>
    public PdpOptions Configure(PdpOptions options) =>
        Ask.Strategies(options, Name, Strategy.Unstructured, Strategy.NofM, Strategy.PerChannel);

    /// <inheritdoc/>
    public IMethodRun Attach(IReadOnlyList<MethodLayer> layers) => new Run(layers, Interval);

    private sealed class Run(IReadOnlyList<MethodLayer> layers, double interval) : HardMaskRun(layers)
    {
        private readonly Clock _clock = new(interval);
        private readonly long[] _counts = new long[layers.Count];

        // The target is met exactly, whatever the interval; between two masks the counts are those of the current one.
        public override void Begin(double epoch)
        {
            ZeroRemoved();
            var isDue = _clock.IsDue(epoch);
            if (isDue)
                _clock.Note(epoch);
            for (var layer = 0; layer < Layers.Count; layer++)
            {
                var mask = Layers[layer].Mask;
                if (isDue || mask.Removed == mask.Target)
                    _counts[layer] = mask.Removed;
                Layers[layer].Remove(_counts[layer]);
            }
        }

        protected override bool IsStale(int layer) => Layers[layer].Mask.Removed != Removed(layer);

        // Tied channels are not zeroed, so momentum and decay move them, and the magnitudes of removed ones are stale.
        protected override Tensor Score(int layer, Tensor weight) => MagnitudeOfKept(layer, weight);
    }
}
