namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>One run of a comparison.</summary>
/// <param name="Column">What is asked for, by its name in the recipe.</param>
/// <param name="Method">The method.</param>
/// <param name="Seed">The seed.</param>
/// <param name="Options">The run's other options, without dashes in front.</param>
internal sealed record Cell(string Column, string Method, int Seed, IReadOnlyDictionary<string, string> Options)
{
    /// <summary>The column of the runs that nothing is removed in.</summary>
    public const string DenseColumn = "dense";

    /// <summary>In an option's value, the weights that the dense run of the same seed ended with.</summary>
    private const string DenseWeights = "{dense}";

    /// <summary>The folder's name.</summary>
    public string Name => $"{string.Concat(Column.Where(c => char.IsAsciiLetterOrDigit(c) || c is ':' or '.')).Replace(':', 'o')}-{Method}-{Seed}";

    /// <summary>The run's options as a command line.</summary>
    public IReadOnlyList<string> Arguments =>
        ["--method", Method, "--seed", Seed.ToString(System.Globalization.CultureInfo.InvariantCulture), .. Options.SelectMany(option => new[] { "--" + option.Key, option.Value })];

    /// <summary>The same, with the results of a dense run in their place.</summary>
    public IReadOnlyList<string> ArgumentsWith(string denseWeights) => [.. Arguments.Select(argument => argument == DenseWeights ? denseWeights : argument)];
}
