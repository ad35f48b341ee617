using System.Globalization;
using System.Text.Json;
using Pdp.Channels.Shrinking;
using Pdp.Internal;

namespace Pdp;

/// <summary>The certificate of a shrunk model: what it lost, and how far its output is from the masked model's.</summary>
public sealed record ShrinkReport
{
    /// <summary>What to save beside the weights.</summary>
    public required ShrinkRecord Record { get; init; }

    /// <summary>The largest difference of an output element to the masked model's.</summary>
    public required double Difference { get; init; }

    /// <summary>The largest absolute output element of the masked model.</summary>
    public required double Scale { get; init; }

    /// <summary>All parameters of the model before.</summary>
    public required long ParametersBefore { get; init; }

    /// <summary>All parameters of the model now.</summary>
    public required long ParametersAfter { get; init; }

    /// <summary>The report as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ShrinkJson.Readable.ShrinkReport);

    /// <summary>The channels of each group before and after, and the totals, as a table to read.</summary>
    public override string ToString()
    {
        var table = new TextTable("channels of", "before", "after", "kept");
        foreach (var (group, kept) in Record.Groups)
            table.Add(group.Name, group.Channels, (long)kept.Count, TextTable.Percent(kept.Count / (double)group.Channels));
        table.Add("parameters", ParametersBefore, ParametersAfter, TextTable.Percent(ParametersAfter / (double)ParametersBefore));
        return table + string.Create(CultureInfo.InvariantCulture, $"largest difference of the output: {Difference:0.0E+0}, of values up to {Scale:0.0E+0}{Environment.NewLine}");
    }
}
