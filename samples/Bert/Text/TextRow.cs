namespace Pdp.Samples.Bert.Text;

/// <summary>A line of a file of texts: its values by column, or by key.</summary>
/// <param name="Line">The number of the line, from 1.</param>
/// <param name="Values">The values.</param>
internal sealed record TextRow(int Line, IReadOnlyDictionary<string, string> Values)
{
    private static readonly string[] FirstNames = ["premise", "sentence1", "question1", "question", "sentence"];
    private static readonly string[] SecondNames = ["hypothesis", "sentence2", "question2"];
    private static readonly string[] LabelNames = ["gold_label", "label", "is_duplicate"];

    /// <summary>The texts and the label, by the names that MNLI and the other tasks of GLUE give them.</summary>
    /// <exception cref="FormatException">There is no text or no label.</exception>
    public TextPair ToPair()
    {
        var first = Required(FirstNames);
        var (name, second) = Optional([.. SecondNames, .. first.Name == "question" ? (string[])["sentence"] : []]);
        var label = Required(LabelNames);
        return new(Filled(first), name is null ? null : Filled((name, second!)), Filled(label));
    }

    private (string Name, string Value) Required(string[] names) => Optional(names) is { Name: { } name, Value: { } value }
        ? (name, value)
        : throw new FormatException(
            $"has no {string.Join(", ", names[..^1])} or {names[^1]} in line {Line}; it has {string.Join(", ", Values.Keys)}");

    private (string? Name, string? Value) Optional(string[] names) =>
        names.FirstOrDefault(Values.ContainsKey) is { } name ? (name, Values[name]) : (null, null);

    private string Filled((string Name, string Value) entry) => string.IsNullOrWhiteSpace(entry.Value)
        ? throw new FormatException($"has an empty {entry.Name} in line {Line}")
        : entry.Value;
}
