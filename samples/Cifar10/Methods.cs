using Pdp.Baselines;
using Pdp.Methods;

namespace Pdp.Samples.Cifar10;

/// <summary>The pruning methods by the names of <c>--method</c>, and what each wants of the training loop.</summary>
internal static class Methods
{
    public const string Dense = "dense";
    public const string Pdp = "pdp";

    /// <summary>All names, for messages.</summary>
    public static IReadOnlyList<string> Names { get; } = [Dense, Pdp, "gmp", "dnw", "lnm"];

    /// <summary>The method of a run; null for PDP itself.</summary>
    public static IPruningMethod? Of(Settings settings) => settings.Method switch
    {
        "gmp" => new Gmp(),
        "dnw" => new Dnw(),
        "lnm" => new SrSte(),
        _ => null,
    };

    /// <summary>The decay of what a method learns besides the weights.</summary>
    public static double WeightDecay(Settings settings) => 0;

    /// <summary>The learning rate of what a method learns besides the weights, over that of the weights.</summary>
    public static double LearningRateFactor(PdpPruner pruner, double time) => 1;

    /// <summary>Whether momentum is to be forgotten before a step.</summary>
    public static bool ForgetsMomentum(PdpPruner pruner, double time) => false;
}
