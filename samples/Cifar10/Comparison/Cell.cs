using System.Globalization;

namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>One run of a comparison.</summary>
/// <param name="Column">What is asked for, by its name in the recipe.</param>
/// <param name="Row">The row, by its name in the recipe: the method's, unless it takes part more than once.</param>
/// <param name="Method">The method.</param>
/// <param name="Seed">The seed.</param>
/// <param name="Options">The run's other options, without dashes in front.</param>
internal sealed record Cell(string Column, string Row, string Method, int Seed, IReadOnlyDictionary<string, string> Options)
{
    /// <summary>The column of the runs that nothing is removed in.</summary>
    public const string DenseColumn = "dense";

    /// <summary>In an option's value, the weights that the dense run of the same seed ended with.</summary>
    private const string DenseWeights = "{dense}";

    /// <summary>The folder's name.</summary>
    public string Name => $"{FileName(Column)}-{FileName(Row)}-{Seed}";

    /// <summary>Whether the run starts from, or learns from, the weights of the dense run of the same seed.</summary>
    public bool NeedsDense => Options.Values.Contains(DenseWeights);

    /// <summary>The folder's name of the dense run of a seed.</summary>
    public static string DenseName(int seed) => string.Create(CultureInfo.InvariantCulture, $"{DenseColumn}-{Methods.Dense}-{seed}");

    /// <summary>What of a name can be in that of a file.</summary>
    public static string FileName(string name) =>
        string.Concat(name.Replace(':', 'o').Where(c => char.IsAsciiLetterOrDigit(c) || c is '.'));

    /// <summary>The run's options as a command line.</summary>
    public IReadOnlyList<string> Arguments =>
    [
        "--method", Method, "--seed", Seed.ToString(CultureInfo.InvariantCulture),
        .. Options.SelectMany(option => new[] { "--" + option.Key, option.Value }),
    ];

    /// <summary>The same, with the results of a dense run in their place.</summary>
    public IReadOnlyList<string> ArgumentsWith(string denseWeights) =>
        [.. Arguments.Select(argument => argument == DenseWeights ? denseWeights : argument)];
}
