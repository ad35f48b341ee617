using Pdp.Baselines;

namespace Pdp.Samples.Transformers;

/// <summary>The pruning methods by the names of <c>--method</c>.</summary>
internal static class PruningMethods
{
    public const string Dense = "dense";
    public const string Pdp = "pdp";

    /// <summary>All names.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [Dense, Pdp, "gmp", "str", "optg", "acdc", "granet", "dnw", "mvp", "pofa", "lnm"];

    /// <summary>The name itself, if there is such a method.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static string Known(string name, IReadOnlyList<string> names) =>
        names.Contains(name) ? name : throw new ArgumentException(CommandLine.Unknown("method", name, names));

    /// <summary>The method of a run; null for PDP itself.</summary>
    /// <exception cref="ArgumentException">It lacks its teacher.</exception>
    public static IPruningMethod? Of(TransformerSettings settings) => settings.Method switch
    {
        "gmp" => new Gmp(),
        "pofa" when !settings.IsTaught =>
            throw new ArgumentException("pofa learns from a teacher: give --teacher, the weights of a trained model."),
        "pofa" => new Gmp(),
        "str" => new Str { Start = settings.StrStart },
        "optg" => new OptG(),
        "acdc" => new AcDc(),
        "granet" => new GraNet(),
        "dnw" => new Dnw(),
        "mvp" => new MovementPruning(),
        "lnm" => new SrSte(),
        _ => null,
    };

    /// <summary>Whether the sparsity is an outcome of the method rather than a setting.</summary>
    public static bool IsEmergent(TransformerSettings settings) => settings.Method == "str";

    /// <summary>The epoch at which the zeros are made final: POFA locks its pattern for the last quarter.</summary>
    public static double CommitEpoch(TransformerSettings settings) =>
        settings.CommitAt ?? (settings.Method == "pofa" ? 0.75 : 1) * settings.Epochs;

    /// <summary>The decay of what a method learns besides the weights: thresholds have one, scores have none.</summary>
    public static double WeightDecay(TransformerSettings settings) => settings.Method == "str" ? settings.StrDecay : 0;

    /// <summary>The learning rate of what a method learns besides the weights, over that of the weights.</summary>
    public static double LearningRateFactor(TransformerSettings settings, PdpPruner pruner, double time) =>
        settings.Method == "optg" ? pruner.Schedule.Fraction(time) : 1;

    /// <summary>Whether the optimizer's state is dropped between two steps, as AC/DC does where weights return.</summary>
    public static bool ForgetsMomentum(PdpPruner pruner, double time) =>
        pruner.Schedule is AlternatingPhases phases && pruner.Epoch is { } before && phases.IsDecompression(before, time);

    /// <summary>Whether all that a run learns is in the weights, so that a checkpoint of them is whole.</summary>
    public static bool IsResumable(TransformerSettings settings) => settings.Method is Dense or Pdp;
}
