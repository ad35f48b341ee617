using Pdp.Baselines.Internal;
using Pdp.Baselines.Runs;
using static TorchSharp.torch;

namespace Pdp.Baselines;

/// <summary>OptG, optimizing gradient-driven criteria in network sparsity (Zhang et al., 2022).</summary>
/// <remarks>
/// <para>
/// ŵ = M·w, where M keeps the largest scores θ of the whole model, with one score per weight: ∂L/∂w = g·M, and straight-through ∂L/∂θ = g·w
/// for all weights, including the removed ones, with g = ∂L/∂ŵ. θ starts at 0, so that it accumulates −η·g·w, the first-order criterion. M
/// is computed once in each <see cref="Interval"/> and stays the same within it. The total is exactly what the schedule asks for; the
/// scores decide how much each layer loses, but each keeps at least one weight. Ties are broken in the order of the layers, by position.
/// Supports unstructured.
/// </para>
/// <para>
/// Give <see cref="PdpPruner.Parameters"/>, of the weights' shapes and named <c>layer.weight.score</c>, to SGD without decay (Adam would
/// erase the magnitudes that they sum up), at the weights' learning rate times <c>pruner.Schedule.Fraction(epoch)</c>. The default schedule
/// is a <see cref="SigmoidRamp"/> over the whole run.
/// </para>
/// </remarks>
public sealed record OptG : IPruningMethod
{
    /// <summary>The number of cuts in a run: the paper makes one per epoch, in 100 epochs.</summary>
    private const double CutsPerRun = 100;

    /// <summary>How long a mask stays the same; the run is divided into intervals of this length from epoch 0 on.</summary>
    /// <value>
    /// In epochs, at least 0, which computes a mask at each <see cref="PdpPruner.BeginEpoch(double)"/>. The default, null, means a 100th of
    /// the run, at most 1: the schedule rises within a tenth of the run, so whole epochs would leave only a cut or two in a short one.
    /// Intervals below 1 require fractional epochs.
    /// </value>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double? Interval { get; init => field = value is { } interval ? Ask.NotNegative(interval) : null; }

    /// <inheritdoc/>
    public string Name => "OptG";

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The strategy is not unstructured, or the options assign sparsities to layers.</exception>
    public PdpOptions Configure(PdpOptions options)
    {
        Ask.Strategies(options, Name, Strategy.Unstructured);
        Ask.NoShares(options, Name, "scores");
        return Ask.WithoutFloor(options) with
        {
            Schedule = options.Schedule ?? new SigmoidRamp(0, options.Epochs),
            Method = this with { Interval = Interval ?? Math.Min(1, options.Epochs / CutsPerRun) },
        };
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">
    /// The interval is not set: this is not the method in the options that <see cref="Configure"/> returned.
    /// </exception>
    public IMethodRun Attach(IReadOnlyList<MethodLayer> layers) =>
        new Run(layers, Interval ?? throw new InvalidOperationException(
            "The length of the run is not known: set Interval, or attach the method in the options that Configure(options) returns."));

    private sealed class Run(IReadOnlyList<MethodLayer> layers, double interval) : ScoreRun(layers)
    {
        private readonly Intervals _intervals = new(interval);

        private bool IsAtTarget => Layers.All(layer => layer.Mask.Removed == layer.Mask.Target);

        // Within an interval the mask changes only when the target is reached, as it may be committed from then on.
        public override void Begin(double epoch)
        {
            var total = Layers.Sum(layer => layer.Mask.Removed);
            if (_intervals.IsNew(epoch) || (IsAtTarget && total != Counts().Sum()))
            {
                Cut(total);
                _intervals.Note(epoch);
            }

            foreach (var (layer, count) in Layers.Zip(Counts()))
                layer.Remove(count);
        }

        protected override bool IsStale(int layer) => false;

        private long[] Counts() => [.. Enumerable.Range(0, Layers.Count).Select(layer => Removed(layer) ?? 0)];

        private void Cut(long total)
        {
            using var scope = NewDisposeScope();
            Tensor[] scores = [.. Enumerable.Range(0, Layers.Count).Select(layer => Score(layer))];
            foreach (var (layer, count) in GlobalCut.Counts(scores, total).Index())
            {
                Layers[layer].Remove(count);
                Take(layer, Layers[layer].Mask.KeptBy(scores[layer]));
            }
        }
    }
}
