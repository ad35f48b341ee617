using Pdp.Baselines;

namespace Pdp.Samples.Bert;

/// <summary>The pruning methods by the names of <c>--method</c>.</summary>
internal static class Methods
{
    public const string Dense = "dense";
    public const string Pdp = "pdp";

    /// <summary>All names.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [Dense, Pdp, "gmp", "str", "optg", "acdc", "granet", "dnw", "mvp", "pofa", "lnm"];

    /// <summary>The name itself, if there is such a method.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static string Known(string name) =>
        Names.Contains(name) ? name : throw new ArgumentException(CommandLine.Unknown("method", name, Names));

    /// <summary>The method of a run; null for PDP itself.</summary>
    /// <exception cref="ArgumentException">It lacks its teacher.</exception>
    public static IPruningMethod? Of(Settings settings) => settings.Method switch
    {
        "gmp" => new Gmp(),
        "pofa" => settings.Teacher is null
            ? throw new ArgumentException("pofa learns from a teacher: give --teacher, the weights of a trained classifier.")
            : new Gmp(),
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
    public static bool IsEmergent(Settings settings) => settings.Method == "str";

    /// <summary>The epoch at which the zeros are made final: POFA locks its pattern for the last quarter.</summary>
    public static double CommitEpoch(Settings settings) =>
        settings.CommitAt ?? (settings.Method == "pofa" ? 0.75 : 1) * settings.Epochs;

    /// <summary>The decay of what a method learns besides the weights: thresholds have one, scores have none.</summary>
    public static double WeightDecay(Settings settings) => settings.Method == "str" ? settings.StrDecay : 0;
}
