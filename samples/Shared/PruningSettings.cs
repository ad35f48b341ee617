namespace Pdp.Samples;

/// <summary>The settings of a run's pruning. Each sample's settings add its own.</summary>
internal abstract record PruningSettings
{
    /// <summary>The length of the run.</summary>
    public abstract int Epochs { get; init; }

    [Option(
        "unstructured, channel, N:M for N weights kept of every M, or blocks of rows x columns such as 1x4.",
        Section = "Pruning", Value = "NAME|N:M|RxC")]
    public string Strategy { get; init => field = StrategyOption.Checked(value); } = "unstructured";

    [Option(
        "What weights are ranked by: magnitude, or taylor (weight times gradient, learned from the first step on).",
        Value = "NAME", Default = "magnitude")]
    public string? Importance { get; init => field = value is null ? null : ImportanceOption.Checked(value); }

    [Option(
        "Fraction of the prunable weights to remove, except with N:M or channels.",
        Value = OptionAttribute.Fraction, Range = "[0, 1)")]
    public double Sparsity { get; init; } = 0.9;

    [Option(
        "Fraction of the network's multiplications to remove with the channel strategy.",
        Value = OptionAttribute.Fraction, Range = "(0, 1)")]
    public double MacBudget { get; init; } = 0.5;

    [Option(
        "How the sparsity is divided among the layers: global (one ranking of all magnitudes, of which each layer keeps a fifth of the "
            + "average density, or as with global:0 another share), lamp (the same of layer-adaptive magnitudes), "
            + "erk (Erdős–Rényi kernel), uniform, or as in another run's report, such as from:runs/optg/pruning.json.",
        Value = "NAME|global:FLOOR|from:FILE",
        Default = "global, for single weights in 10 epochs or more to 0.95 or more lamp; without a floor with str, optg, acdc and granet, "
            + "which rank by themselves; with the channel strategy where multiplications cost the network least")]
    public string? Allocation { get; init => field = value is null ? null : AllocationOption.Checked(value); }

    [Option("The largest sparsity that the allocation may give a layer.", Value = OptionAttribute.Fraction, Range = "[0, 1]")]
    public double MaximumLayerSparsity { get; init; } = 1;

    [Option(
        "Dense epochs before pruning begins, the paper's s.",
        Value = OptionAttribute.Epochs, Range = "[0, ∞)",
        Default = "the method's schedule; with --ramp-end an eighth of the run, a quarter of ten epochs or more except for channels")]
    public double? DenseEpochs { get; init; }

    [Option(
        "Epoch at which a cubic ramp reaches the target.",
        Value = OptionAttribute.Epochs, Range = "(0, ∞)",
        Default = "the method's schedule; with --dense-epochs half of the run, six tenths of ten epochs or more, a quarter for channels")]
    public double? RampEnd { get; init; }

    [Option("Slope of the paper's linear ramp, per epoch.", Value = "SLOPE", Range = "(0, ∞)", Default = "the method's schedule")]
    public double? Epsilon { get; init; }

    [Option(
        "Epoch at which the zeros are made final, after which the network trains on without the removed weights.",
        Value = OptionAttribute.Epochs, Range = "[0, ∞)",
        Default = "the end of the run; half of it with the channel strategy, three quarters with pofa")]
    public double? CommitAt { get; init; }

    [Option("The paper's absolute temperature τ, in weight².", Value = "TAU", Range = "(0, ∞)", Default = "the library's relative one")]
    public double? Temperature { get; init; }

    [Option(
        "Temperature ρ relative to the squared threshold: constant (0.25), or from start to end (1:0.03).",
        Value = "RHO|RHO:RHO", Default = "the library's")]
    public string? RelativeTemperature { get; init => field = TemperatureOption.Checked(value); }

    [Option(
        "Temperature ρ of the gradient, relative to the squared threshold: constant (1), or from start to end.",
        Value = "RHO|RHO:RHO", Default = "the library's; that of the masks where one is given")]
    public string? GradientTemperature { get; init => field = TemperatureOption.Checked(value); }

    [Option("Whether gradients with --gradient-temperature have, along the weights, the derivative of the masked weights.")]
    public bool RadialCorrection { get; init; }

    [Option(
        "Epoch at which temperatures reach their end.",
        Value = OptionAttribute.Epochs, Range = "(0, ∞)", Default = "nine tenths of the run")]
    public double? AnnealEnd { get; init; }

    [Option(
        "Epoch from which the masks are hard, and removed weights get no gradient; for the temperatures that are given.",
        Value = OptionAttribute.Epochs, Range = "[0, ∞)", Default = "the library's")]
    public double? HardFrom { get; init; }
}
