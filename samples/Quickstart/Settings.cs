namespace Pdp.Samples.Quickstart;

/// <summary>
/// The settings of a run; each property that can be set is an option of the same name (<c>Sparsity</c>: <c>--sparsity</c>).
/// </summary>
internal sealed record Settings
{
    [Option("unstructured, channel, or N:M for N weights kept of every M inputs.", Section = "Options", Value = "NAME|N:M")]
    public string Strategy { get; init => field = StrategyOption.Checked(value); } = "unstructured";

    [Option(
        "Fraction of the weights to remove.",
        Value = OptionAttribute.Fraction, Range = "[0, 1)", Default = "0.9; for channels 0.5; for N:M 1 - N/M")]
    public double? Sparsity
    {
        get => field ?? (MaskStrategy() is PerChannel ? 0.5 : MaskStrategy().FixedSparsity is null ? 0.9 : null);
        init;
    }

    [Option("Epochs of pruning, after the dense ones.", Value = "COUNT", Range = "[1, ∞)")]
    public int Epochs { get; init; } = 7;

    [Option("Seed of the pictures, the initial weights and the order.")]
    public int Seed { get; init; }

    [Option("Threads for the arithmetic.", Value = "THREADS", Range = "[1, ∞)")]
    public int Threads { get; init; } = 1;

    /// <summary>The strategy as the library takes it.</summary>
    public IMaskStrategy MaskStrategy() => StrategyOption.Parse(Strategy);
}
