using System.Globalization;
using System.Text.RegularExpressions;

namespace Pdp.Samples.Comparison;

/// <summary>One run of a comparison.</summary>
/// <param name="Column">The column, by its name in the recipe: the target, such as a sparsity.</param>
/// <param name="Row">The row, by its name in the recipe: the method's, unless it takes part more than once.</param>
/// <param name="Method">The method.</param>
/// <param name="Seed">The seed.</param>
/// <param name="Options">The run's other options, without dashes in front.</param>
internal sealed record Cell(string Column, string Row, string Method, int Seed, IReadOnlyDictionary<string, string> Options)
{
    /// <summary>The column of the dense runs, in which nothing is removed.</summary>
    public const string DenseColumn = "dense";

    /// <summary>The method of the dense runs.</summary>
    public const string DenseMethod = "dense";

    /// <summary>The method that the others are compared with.</summary>
    public const string PdpMethod = "pdp";

    /// <summary>Stands in an option's value for the weights that the dense run of the same seed ended with.</summary>
    private const string DenseWeights = "{dense}";

    /// <summary>Stands in the allocation for the report of the run of a row in the same column with the same seed.</summary>
    private static readonly Regex RowReport = new(@"^from:\{(.+)\}$", RegexOptions.CultureInvariant);

    /// <summary>The folder's name.</summary>
    public string Name => $"{FileName(Column)}-{FileName(Row)}-{Seed}";

    /// <summary>Whether the run starts from, or learns from, the weights of the dense run of the same seed.</summary>
    public bool NeedsDense => Options.Values.Contains(DenseWeights);

    /// <summary>The row whose layer sparsities the run takes; null if it takes none.</summary>
    public string? AllocatedBy =>
        Options.TryGetValue("allocation", out var allocation) && RowReport.Match(allocation) is { Success: true } match
            ? match.Groups[1].Value
            : null;

    /// <summary>The folder's name of the run whose layer sparsities this run takes; null if it takes none.</summary>
    public string? AllocatingName => AllocatedBy is { } row ? (this with { Row = row }).Name : null;

    /// <summary>The folder's name of the dense run of a seed.</summary>
    public static string DenseName(int seed) => string.Create(CultureInfo.InvariantCulture, $"{DenseColumn}-{DenseMethod}-{seed}");

    /// <summary>A name reduced to what a file's name can have.</summary>
    public static string FileName(string name) =>
        string.Concat(name.Replace(':', 'o').Where(c => char.IsAsciiLetterOrDigit(c) || c is '.'));

    /// <summary>The run's options as a command line.</summary>
    public IReadOnlyList<string> Arguments =>
    [
        "--method", Method, "--seed", Seed.ToString(CultureInfo.InvariantCulture),
        .. Options.SelectMany(option => new[] { "--" + option.Key, option.Value }),
    ];

    /// <summary>The same, with the results of other runs filled in.</summary>
    /// <param name="denseWeights">The weights of the dense run.</param>
    /// <param name="report">The report of the row that gives the layer sparsities; null if none does.</param>
    public IReadOnlyList<string> ArgumentsWith(string denseWeights, string? report) =>
    [
        .. Arguments.Select(argument => argument == DenseWeights ? denseWeights
            : RowReport.IsMatch(argument) ? $"from:{report}"
            : argument),
    ];
}
