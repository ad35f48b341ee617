using System.Globalization;

namespace Pdp.Samples;

/// <summary>The value of <c>--allocation</c>.</summary>
internal static class AllocationOption
{
    /// <summary>What precedes the file of another run's report.</summary>
    public const string From = "from:";

    /// <summary>What precedes a floor of densities.</summary>
    private const string Global = "global:";

    /// <summary>The methods that rank the weights of all layers by scores of their own.</summary>
    private static readonly string[] DividesItself = ["acdc", "granet", "optg", "str"];

    private static readonly Dictionary<string, ISparsityAllocation> Known = new(StringComparer.Ordinal)
    {
        ["global"] = new GlobalMagnitude(),
        ["erk"] = new ErdosRenyiKernel(),
        ["lamp"] = new LayerAdaptiveMagnitude(),
        ["uniform"] = new UniformSparsity(),
    };

    /// <summary>The allocation of a run; null is the library's default.</summary>
    /// <param name="text">The option's value; null if it isn't given.</param>
    /// <param name="strategy">The strategy of the run.</param>
    /// <exception cref="ArgumentException">The strategy has no use for it, or it can't be read.</exception>
    public static ISparsityAllocation? Of(string? text, IMaskStrategy strategy) => text is null ? null
        : strategy is PerChannel ? throw new ArgumentException("--allocation is not for the channel strategy, which divides --mac-budget.")
        : strategy.FixedSparsity is not null
            ? throw new ArgumentException($"--allocation is not for {strategy.Name}, which removes the same fraction of each layer.")
        : Parse(text);

    /// <summary>Checks that a method can keep the density floor that is asked for.</summary>
    /// <exception cref="ArgumentException">It divides the sparsity itself.</exception>
    public static void Require(string? text, string method)
    {
        if (text is not null && FloorOf(text) > 0 && DividesItself.Contains(method))
        {
            throw new ArgumentException($"--allocation {text} is not for --method {method}, which divides the sparsity without a floor.");
        }
    }

    /// <summary>The text itself, if it names an allocation or a file.</summary>
    /// <exception cref="ArgumentException">It doesn't.</exception>
    public static string Checked(string text) => Known.ContainsKey(text) || IsFromReport(text) || FloorOf(text) is not null
        ? text
        : throw new ArgumentException(
            $"{CommandLine.Unknown("allocation", text, Known.Keys)} Or give {Global}0.2, with another density floor in [0, 1], or "
            + $"{From}pruning.json, another run's report.");

    /// <summary>Whether the sparsity of each layer is that of another run.</summary>
    public static bool IsFromReport(string? text) => text?.StartsWith(From, StringComparison.Ordinal) == true && text.Length > From.Length;

    private static ISparsityAllocation Parse(string text) =>
        IsFromReport(text) ? OfReport(text[From.Length..])
            : FloorOf(text) is { } floor ? new GlobalMagnitude { DensityFloor = floor }
            : Known[Checked(text)];

    /// <summary>The density floor that a text gives; null if it gives none.</summary>
    private static double? FloorOf(string text) =>
        Known.GetValueOrDefault(text) is GlobalMagnitude known ? known.DensityFloor
        : text.StartsWith(Global, StringComparison.Ordinal)
        && double.TryParse(text[Global.Length..], NumberStyles.Float, CultureInfo.InvariantCulture, out var floor) && floor is >= 0 and <= 1
            ? floor
            : null;

    private static SparsityTable OfReport(string path)
    {
        if (!File.Exists(path))
        {
            throw new ArgumentException($"--allocation names the report '{path}', but there is no such file.");
        }

        try
        {
            var report = PruningReport.FromJson(File.ReadAllText(path));
            return new SparsityTable(report.Layers.ToDictionary(layer => layer.Name, layer => layer.Sparsity, StringComparer.Ordinal));
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"The report '{path}' of --allocation can't be used. {e.Message}", e);
        }
    }
}
