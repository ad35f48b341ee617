namespace Pdp.Samples.Comparison;

/// <summary>The settings of a comparison; each property is an option of the same name.</summary>
internal sealed record CompareSettings
{
    [Option("A comparison that comes with the program, or a JSON file of your own.", Section = "Options", Value = "NAME|FILE",
        Default = "none; must be given")]
    public string? Recipe { get; init; }

    [Option("The data of the runs, as a single run takes them.", Value = "FOLDER|FILE",
        Default = "none; must be given to run")]
    public string? Data { get; init; }

    [Option("The weights that all runs start from, as a single run takes them.", Value = "FOLDER|FILE",
        Default = "none; must be given to run, unless the recipe starts from scratch")]
    public string? Weights { get; init; }

    [Option("Where runs, tables and charts go; finished runs in it are kept.", Value = "FOLDER", Default = "none; must be given")]
    public string? Out { get; init; }

    [Option("Runs at a time, each with one thread.", Value = "RUNS", Range = "[1, ∞)")]
    public int Jobs { get; init; } = 1;

    [Option("Runs nothing, and makes tables and charts of existing results.")]
    public bool TablesOnly { get; init; }
}
