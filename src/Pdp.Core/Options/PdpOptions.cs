using Pdp.Allocation;
using Pdp.Internal;
using Pdp.Layers;
using Pdp.Options;
using Pdp.Scheduling;

namespace Pdp;

/// <summary>What to prune, how far, and when. Immutable; each value is checked when it is set.</summary>
/// <remarks>
/// The defaults work best without tuning: a cubic ramp in the middle of the run, masks that sharpen relative to each layer's threshold
/// while the gradients stay those of a soft mask, and hard masks in the last quarter, under N:M in long runs from the ramp's end on.
/// Channels are removed earlier, by masks that are practically hard throughout. <see cref="Paper"/> is the paper's exact setting.
/// </remarks>
public sealed record PdpOptions
{
    /// <summary>The paper's temperature, in weight².</summary>
    private const double PaperTemperature = 1e-4;

    /// <summary>The length of the run; the schedule must end within it.</summary>
    /// <value>In epochs, in (0, ∞); may be fractional.</value>
    public required double Epochs { get; init => field = Guard.Positive(value); }

    /// <summary>
    /// The fraction of all prunable weights to be removed: exactly round(sparsity · weights) of them, or with blocks or channels about as
    /// many, since only whole ones are removed.
    /// </summary>
    /// <value>In [0, 1). Null, the default, if the strategy or the allocation fixes it (N:M, a table).</value>
    public double? Sparsity { get; init => field = value is { } sparsity ? Guard.Fraction(sparsity) : null; }

    /// <summary>Who competes with whom.</summary>
    /// <value>Default <see cref="Unstructured"/>.</value>
    public IMaskStrategy Strategy { get; init => field = Guard.NotNull(value); } = new Unstructured();

    /// <summary>Which channels belong together, for the <see cref="PerChannel"/> strategy.</summary>
    /// <value>
    /// Null, the default, masks the channels of each weight independently; the model can't be shrunk then. An error if neither the options'
    /// strategy nor that of a rule is <see cref="PerChannel"/>.
    /// </value>
    public ChannelMap? Channels { get; init; }

    /// <summary>The multiply-accumulates of the dense model; with <see cref="Channels"/>, plans and reports say how many remain.</summary>
    /// <value>Null, the default, uses those of a <see cref="MacBudget"/>; under any other allocation none are reported. An error without
    /// <see cref="Channels"/>.</value>
    public MacCount? Macs { get; init; }

    /// <summary>How the sparsity is divided among the layers, when pruning begins.</summary>
    /// <value>
    /// Null, the default, is <see cref="GlobalMagnitude"/>: one global ranking by magnitude, under which each layer keeps at least a fifth
    /// of the average density. In runs of ten epochs or more to an unstructured sparsity of 95 % or more it is
    /// <see cref="LayerAdaptiveMagnitude"/> with the same floor, unless there is an <see cref="Importance"/>.
    /// <see cref="PdpPruner.Allocation"/> is the one in force.
    /// </value>
    public ISparsityAllocation? Allocation { get; init; }

    /// <summary>How the sparsity rises over the epochs.</summary>
    /// <value>
    /// Null, the default, is a <see cref="CubicRamp"/> from an eighth of the run to half of it, and in runs of ten epochs or more from a
    /// quarter to six tenths; for channels from an eighth to a quarter, so that the smaller network trains for longer, and for methods
    /// other than PDP from an eighth to four tenths.
    /// </value>
    public ISparsityScheduler? Schedule { get; init; }

    /// <summary>How soft the masks are over the epochs.</summary>
    /// <value>
    /// Null, the default, is a relative temperature annealed from ρ = 1 at the schedule's start to 0.001 at three quarters of the run,
    /// where the masks become hard; later if the schedule ends later. Under N:M in runs of ten epochs or more it is where the schedule
    /// ends, whose last step takes a whole weight of each group. For channels it is a constant ρ = 1e-6, at which masks count as hard:
    /// channels are few and their scores lie close together, so soft masks leave much for commit to remove, and sharper ones, whose
    /// gradient at the threshold is that of a whole channel times 1/(2ρ), trained no better. If a rule changes a layer's strategy, the
    /// layer has the default of that strategy.
    /// </value>
    public Temperature? Temperature { get; init; }

    /// <summary>How soft the masks are for the gradient over the epochs.</summary>
    /// <remarks>
    /// The forward pass sees m = σ((w² − t²)/τ) with <see cref="Temperature"/>; the gradient is that of a mask m′ with this
    /// temperature τ′, ∂L/∂w = g·(m′ + (2w²/τ′)·m′(1 − m′)). A relative ρ′ = 1 keeps the gradient of weights far below the threshold alive
    /// while the mask hardens: its factor is 0.27 at w = 0, 1 at the threshold and 1.5 at w² = 2t². At ρ′ = 0.1 only weights near the
    /// threshold get one: the factor is 0.07 at w² = t²/2, 5.5 at the threshold and 1.2 at w² = 1.5t².
    /// </remarks>
    /// <value>
    /// Null, the default, is ρ′ = 1 until the masks become hard where the default temperature of the masks is in force, and the temperature
    /// of the masks where another is given: equation 4 of the paper. In runs of ten epochs or more the default ρ′ is annealed to 0.1, and
    /// has a <see cref="Pdp.Temperature.WithRadialCorrection"/> except under N:M. Masks of channels are hard, and so are their gradients.
    /// </value>
    public Temperature? GradientTemperature { get; init; }

    /// <summary>What weights compete by, in the mask and in the allocation.</summary>
    /// <value>
    /// Null, the default, is their magnitude. Any other importance, such as <see cref="Taylor"/>, learns from gradients: train in scopes
    /// from the first step on, and let the schedule start after at least one step. It needs relative temperatures, as its scores are not in
    /// units of weight, and costs more: beside magnitude, only <see cref="Taylor"/> has kernels, for unstructured float32 weights on the
    /// CPU.
    /// </value>
    public IImportance? Importance { get; init; }

    /// <summary>The method that replaces PDP's soft mask.</summary>
    /// <value>Null, the default, is PDP. Another method may bring its own schedule and allocation, and has no temperature.</value>
    public IPruningMethod? Method { get; init; }

    /// <summary>Lets a reported metric decide when the schedule starts.</summary>
    /// <value>Null, the default, lets the schedule start at its own start epoch.</value>
    public AutomaticStart? AutomaticStart { get; init; }

    /// <summary>
    /// The weights that may be pruned: any parameters of two or more dimensions. If empty, the weights of layers that train.
    /// </summary>
    /// <value>
    /// Empty by default, which selects the weights of linear, bilinear, convolution, recurrent, attention and transformer layers whose
    /// requires_grad is true when the pruner is made. Embeddings, norms, frozen weights and the parameters of your own modules (class
    /// tokens, position embeddings, layer scales, hand-written layers) then stay dense. A list replaces the default, so name the layers in
    /// it too.
    /// </value>
    public IReadOnlyList<LayerMatch> Include { get; init => field = Guard.NotNull(value); } = [];

    /// <summary>The weights that stay dense and are not counted, even if they are included.</summary>
    public IReadOnlyList<LayerMatch> Exclude { get; init => field = Guard.NotNull(value); } = [];

    /// <summary>Overrides for some weights; the first rule that matches applies.</summary>
    public IReadOnlyList<LayerRule> Rules { get; init => field = Guard.NotNull(value); } = [];

    /// <summary>The least sparsity that the allocation may give a layer.</summary>
    /// <value>In [0, 1]; default 0.</value>
    public double MinimumLayerSparsity { get; init => field = Guard.Share(value); }

    /// <summary>The largest sparsity that the allocation may give a layer.</summary>
    /// <value>
    /// In [0, 1]. Default 1: no bound but one kept weight. The default allocation keeps more; see
    /// <see cref="GlobalMagnitude.DensityFloor"/>. Plan and report warn of layers that lose more than 99 % and keep less than a tenth of
    /// the average density of the layers that the allocation decides about, or that lose all weights or channels but one.
    /// </value>
    public double MaximumLayerSparsity { get; init => field = Guard.Share(value); } = 1;

    /// <summary>The mask scopes between readings for <c>System.Diagnostics.Metrics</c>, while there is a listener.</summary>
    /// <remarks>
    /// Only scopes opened with gradients recorded count, so a step with several scopes counts several times. The meter is <c>Pdp</c>:
    /// <c>dotnet-counters monitor --counters Pdp --process-id …</c> shows target and soft sparsity, undecided masks, leak, weights that
    /// changed sides, and these scopes as steps. A reading takes about as long as a report; without a listener nothing is read.
    /// </remarks>
    /// <value>At least 1; default 100.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1.</exception>
    public int MetricsInterval
    {
        get;
        init => field = value >= 1 ? value : throw Guard.Outside(nameof(MetricsInterval), value, "[1, ∞)");
    } = 100;

    /// <summary>Whether the metrics tell of each layer too, with a tag <c>layer</c>, beside all layers together.</summary>
    /// <value>Default false.</value>
    public bool MetricsPerLayer { get; init; }

    /// <summary>The multiply-accumulates in force.</summary>
    internal MacCount? EffectiveMacs => Macs ?? (Allocation as MacBudget)?.Macs;

    /// <summary>The options about time.</summary>
    internal Timetable Times => new(EffectiveSchedule, Epochs, AutomaticStart, IsSetInAdvance: Method is not null);

    /// <summary>The options about how much is removed.</summary>
    internal SparsityGoal Goal => new(Sparsity, EffectiveAllocation, MinimumLayerSparsity, MaximumLayerSparsity);

    /// <summary>The options about which weights are pruned.</summary>
    internal LayerCriteria Criteria => new(Include, Exclude, Rules, Strategy, Channels);

    /// <summary>The allocation in force.</summary>
    internal ISparsityAllocation EffectiveAllocation => Allocation ?? Defaults.Allocation;

    /// <summary>The schedule in force.</summary>
    internal ISparsityScheduler EffectiveSchedule => Schedule ?? Defaults.Schedule;

    private RunDefaults Defaults => new(this);

    /// <summary>The temperatures in force for a layer.</summary>
    internal (Temperature Mask, Temperature? Gradient) TemperaturesOf(LayerRule? rule, IMaskStrategy strategy)
    {
        var (mask, gradient) = (rule?.Temperature ?? Temperature, rule?.GradientTemperature ?? GradientTemperature);
        var (defaultMask, defaultGradient) = Defaults.TemperaturesOf(strategy);
        return (mask ?? defaultMask, gradient ?? (mask is null ? defaultGradient : null));
    }

    /// <summary>Reads options from JSON.</summary>
    /// <remarks>
    /// Names are those of the properties in camel case, and members that are left out have their defaults. A strategy, a schedule or an
    /// allocation is an object whose <c>type</c> is the name of its type: <c>{ "epochs": 90, "sparsity": 0.9, "schedule": { "type":
    /// "cubicRamp", "start": 10, "end": 30 }, "exclude": ["head"] }</c>. Comments and trailing commas are allowed.
    /// </remarks>
    /// <param name="json">JSON written by <see cref="ToJson"/> or by hand.</param>
    /// <exception cref="ArgumentException">
    /// It is not JSON, or a member is unknown, missing, of the wrong type or out of range; the message has its path and the range.
    /// </exception>
    public static PdpOptions FromJson(string json) => OptionsJson.Parse(Guard.NotNull(json, nameof(json)), nameof(json));

    /// <summary>
    /// Reads options from settings by name, such as <c>section.AsEnumerable(makePathsRelative: true)</c> of an <c>IConfiguration</c>
    /// section.
    /// </summary>
    /// <remarks>
    /// The names are those of the JSON, in any case, with colons between their parts: <c>Schedule:Type</c>, <c>Exclude:0</c>.
    /// </remarks>
    /// <param name="settings">The settings; null values count as absent.</param>
    /// <exception cref="ArgumentException">
    /// A setting is unknown, missing, of the wrong type or out of range; the message has its path and the range.
    /// </exception>
    public static PdpOptions FromSettings(IEnumerable<KeyValuePair<string, string?>> settings) =>
        OptionsJson.Of(Guard.NotNull(settings, nameof(settings)), nameof(settings));

    /// <summary>Writes the options as JSON; those that are null are left out.</summary>
    /// <exception cref="NotSupportedException">
    /// They have a <see cref="Method"/>, a <see cref="LayerMatch.Where"/>, or a strategy, a schedule or an allocation of your own. These
    /// are code: leave them out, and set them in code after reading the options.
    /// </exception>
    public string ToJson() => OptionsJson.Write(this);

    /// <summary>
    /// The paper's exact setting: τ = 1e-4, the ε ramp after s dense epochs, one global ranking by magnitude without a floor.
    /// </summary>
    /// <param name="sparsity">The fraction removed, in [0, 1); null for N:M.</param>
    /// <param name="epochs">
    /// The length of the run in epochs, at least <paramref name="warmupEpochs"/> + 1/<paramref name="epsilon"/> (82.7 by default), as
    /// <see cref="PdpPruner"/> refuses a shorter one. The same in proportion for E epochs is <c>Paper(0.9, E, 0.16 * E, 1.5 / E)</c>.
    /// </param>
    /// <param name="warmupEpochs">s, the dense epochs.</param>
    /// <param name="epsilon">ε, the share of the target that each epoch adds, in (0, ∞).</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public static PdpOptions Paper(double? sparsity, double epochs = 100, double warmupEpochs = 16, double epsilon = 0.015) => new()
    {
        Sparsity = sparsity,
        Epochs = epochs,
        Schedule = new EpsilonRamp { WarmupEpochs = warmupEpochs, Epsilon = epsilon },
        Temperature = Pdp.Temperature.Absolute(PaperTemperature),
        Allocation = new GlobalMagnitude { DensityFloor = 0 },
    };
}
