using Pdp.Baselines.Internal;
using Pdp.Baselines.Runs;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Baselines;

/// <summary>
/// The pattern lock of "Prune once for all" (Zafrir et al., NeurIPS 2021 workshop): fine-tunes a sparse model and keeps its zeros.
/// </summary>
/// <remarks>
/// <para>
/// M = 1[w ≠ 0] when the pruner is made, so load the weights before: other zeros at the first <see cref="PdpPruner.BeginEpoch(double)"/>
/// are an error. ŵ = M·w and ∂L/∂w = g·M, with the same M to the end. Weights that are zero by chance are locked too. Only exact zeros
/// count, so commit the pruning that made them first. The final commit restores the zeros that momentum has moved since the last
/// <see cref="PdpPruner.BeginEpoch(double)"/>.
/// </para>
/// <para>
/// The zeros determine how much is removed: leave <see cref="PdpOptions.Sparsity"/>, schedule and allocation unset. Single weights are
/// locked, so the strategy is the default one; an N:M pattern remains an N:M pattern.
/// </para>
/// <para>
/// POFA itself is <see cref="Gmp"/> under distillation in pre-training, uniform per layer, and then this lock under distillation on each
/// task. The distillation is part of the training loop's loss: 0.5 of the task's and 0.5 of the teacher's at temperature 2.
/// </para>
/// </remarks>
public sealed record PatternLock : IPruningMethod
{
    /// <inheritdoc/>
    public string Name => "pattern lock";

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">
    /// The strategy is not unstructured, or a sparsity, a schedule, an automatic start, an allocation or sparsities of layers are set.
    /// </exception>
    public PdpOptions Configure(PdpOptions options)
    {
        Ask.Strategies(options, Name, Strategy.Unstructured);
        if (options.Sparsity is not null)
            throw new ArgumentException(
                "The pattern lock removes exactly the weights that are already zero: leave PdpOptions.Sparsity unset.", nameof(options));
        if (options.Schedule is not (null or ConstantSparsity)
            || options.AutomaticStart is not null
            || options.Allocation is not (null or GlobalMagnitude or CountedZeros)
            || Ask.HasLayerSparsities(options))
            throw new ArgumentException(
                "The pattern lock applies from the first step on, and each layer keeps its own zeros: leave the schedule, the automatic "
                + "start, the allocation and the sparsities of layers unset.", nameof(options));

        return options with { Schedule = new ConstantSparsity(), Allocation = new CountedZeros() };
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A weight is all zeros.</exception>
    public IMethodRun Attach(IReadOnlyList<MethodLayer> layers) => new Run(layers);

    private sealed class Run : HardMaskRun
    {
        private static readonly Scalar Zero = 0.ToScalar();

        private bool _hasBegun;

        public Run(IReadOnlyList<MethodLayer> layers)
            : base(layers)
        {
            ArgumentNullException.ThrowIfNull(layers);
            using var scope = NewDisposeScope();
            using var _ = no_grad();
            if (layers.FirstOrDefault(layer => CountedZeros.Of(layer.Weight!) == layer.Mask.Members) is { } empty)
                throw new ArgumentException(
                    $"'{empty.Mask.Name}' is all zeros, so nothing in it could learn: exclude it from pruning.", nameof(layers));

            for (var layer = 0; layer < layers.Count; layer++)
            {
                var (mask, weight) = (layers[layer].Mask, layers[layer].Weight!);
                layers[layer].Remove(CountedZeros.Of(weight));
                Take(layer, mask.Strategy.Magnitude(weight, mask.Layout).ne(Zero));
            }
        }

        // Momentum and decay may have moved weights that get no gradient.
        public override void Begin(double epoch)
        {
            if (!_hasBegun)
                RequireOwnZeros();
            _hasBegun = true;
            ZeroRemoved();
            KeepCounts();
        }

        protected override bool IsStale(int layer) => false;

        /// <summary>Checks that there are no new zeros since the pattern was recorded, as there are if weights are loaded late.</summary>
        private void RequireOwnZeros()
        {
            for (var layer = 0; layer < Layers.Count; layer++)
            {
                var weight = Layers[layer].Weight!;
                if (weight.eq(Zero).logical_and_(Spread(layer, weight)).any().cpu().ReadCpuBool(0))
                    throw new InvalidOperationException(
                        $"'{Layers[layer].Mask.Name}' has zeros that it didn't have when the pruner was made, and they would not be "
                        + "locked: load the weights before making the pruner.");
            }
        }
    }
}
