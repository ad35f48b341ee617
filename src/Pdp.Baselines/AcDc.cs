using Pdp.Baselines.Internal;
using Pdp.Baselines.Runs;

namespace Pdp.Baselines;

/// <summary>AC/DC, alternating compressed and decompressed training (Peste, Iofinova, Vladu, Alistarh, NeurIPS 2021).</summary>
/// <remarks>
/// <para>
/// In dense phases ŵ = w and ∂L/∂w = g. A compression keeps the largest |w| of all layers together and sets all others to zero in the
/// weight itself; until the next dense phase ŵ = M·w and ∂L/∂w = g·M with the same M. At a decompression the zeros start learning again.
/// The schedule defines the phases, by default <see cref="AlternatingPhases.Over"/> the run.
/// </para>
/// <para>
/// Supports unstructured and N:M, whose groups are ranked separately. Each layer keeps at least one weight. If an allocation
/// other than <see cref="Pdp.GlobalMagnitude"/> is set, it gives each layer its count, as in the paper's uniform variant.
/// </para>
/// <para>
/// The training loop should reset the optimizer's momentum at each decompression (<see cref="AlternatingPhases.IsDecompression"/>). The
/// learning rate should not be near 0 before the last compressed phase.
/// </para>
/// <para>Phases last whole epochs of the pruner's clock, so an automatic start is not supported.</para>
/// </remarks>
public sealed record AcDc : IPruningMethod
{
    /// <inheritdoc/>
    public string Name => "AC/DC";

    /// <summary>Whether layers are ranked together.</summary>
    private bool IsGlobal { get; init; } = true;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">
    /// A strategy is neither unstructured nor N:M, an automatic start is set, or layers are ranked together and the options assign
    /// sparsities, bounds or a density floor to them.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The run is shorter than 2 epochs, and no schedule is set.</exception>
    public PdpOptions Configure(PdpOptions options)
    {
        Ask.Strategies(options, Name, Strategy.Unstructured, Strategy.NofM);
        if (options.AutomaticStart is not null)
            throw new ArgumentException(
                "The phases of AC/DC last whole epochs, counted from the start of the run: leave PdpOptions.AutomaticStart "
                + "unset.", nameof(options));
        return Ask.WithoutFloor(options) with
        {
            Schedule = options.Schedule ?? AlternatingPhases.Over(options.Epochs),
            Method = this with { IsGlobal = Ask.RanksGlobally(options, Name) },
        };
    }

    /// <inheritdoc/>
    public IMethodRun Attach(IReadOnlyList<MethodLayer> layers) => new Run(layers, IsGlobal);

    private sealed class Run(IReadOnlyList<MethodLayer> layers, bool isGlobal) : StandingMaskRun(layers, isGlobal)
    {
        private long[] _scheduled = [];

        // The scheduled counts change with the phases; dense phases have masks of ones.
        public override void Begin(double epoch)
        {
            ZeroRemoved();
            long[] scheduled = [.. Layers.Select(layer => layer.Mask.Removed)];
            if (scheduled.AsSpan().SequenceEqual(_scheduled))
                KeepCounts();
            else
                TakeAll();
            _scheduled = scheduled;
        }
    }
}
