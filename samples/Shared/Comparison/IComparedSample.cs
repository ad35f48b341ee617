namespace Pdp.Samples.Comparison;

/// <summary>What a comparison needs to know about the sample whose runs it compares.</summary>
internal interface IComparedSample
{
    /// <summary>The names of its methods.</summary>
    IReadOnlyList<string> Methods { get; }

    /// <summary>The number that its runs are compared by.</summary>
    Metric Metric { get; }

    /// <summary>Options that no recipe may give, without dashes: each run gets them from the comparison.</summary>
    IReadOnlyCollection<string> OwnOptions { get; }

    /// <summary>Arguments that each run gets besides the places of its files.</summary>
    IReadOnlyList<string> RunArguments { get; }

    /// <summary>Reads the settings of a run.</summary>
    /// <exception cref="ArgumentException">One of them is not known, or has a wrong value.</exception>
    PruningSettings Settings(IReadOnlyList<string> arguments);

    /// <summary>The settings that decide a run's numbers, as in its report.</summary>
    string Fingerprint(IReadOnlyList<string> arguments);

    /// <summary>Reads a report.json; null if it is the JSON null.</summary>
    /// <exception cref="System.Text.Json.JsonException">It is damaged.</exception>
    ComparedReport? ReadReport(string json);

    /// <summary>Makes and drops the pruner of a run, on a fresh network.</summary>
    /// <exception cref="ArgumentException">Method, strategy or times don't go together; any other exception means the same.</exception>
    void Rehearse(IReadOnlyList<string> arguments);

    /// <summary>Reports at once what every run would fail for.</summary>
    /// <param name="runs">The arguments of every run.</param>
    /// <param name="data">The place of the data.</param>
    /// <param name="weights">The place of the weights; null where runs start from fresh ones.</param>
    /// <exception cref="ArgumentException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, or of another network.</exception>
    void RequireInputs(IEnumerable<IReadOnlyList<string>> runs, string data, string? weights);

    /// <summary>The hash of weights, as in reports; null where runs start from fresh ones.</summary>
    string? HashOf(string? weights);
}
