using System.Globalization;
using System.Text.Json;
using Pdp.Channels.Shrinking;
using Pdp.Internal;

namespace Pdp;

/// <summary>What a shrunk model lost, and the difference of its output from the masked model's.</summary>
public sealed record ShrinkReport
{
    /// <summary>The record to save with the weights.</summary>
    public required ShrinkRecord Record { get; init; }

    /// <summary>The largest absolute difference of an output element from the masked model's.</summary>
    /// <remarks>
    /// Of several outputs it is that of the one which differs most, relative to <see cref="Scale"/>. If the model draws random numbers for
    /// each channel, as dropout does, they are other ones without some channels.
    /// </remarks>
    public required double Difference { get; init; }

    /// <summary>The largest absolute element of the same output of the masked model.</summary>
    public required double Scale { get; init; }

    /// <summary>The number of parameters before shrinking.</summary>
    public required long ParametersBefore { get; init; }

    /// <summary>The number of parameters after shrinking.</summary>
    public required long ParametersAfter { get; init; }

    /// <summary>The report as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ShrinkJson.Readable.ShrinkReport);

    /// <summary>The channels of each group before and after, and the totals, as a text table.</summary>
    public override string ToString()
    {
        var table = new TextTable("channels of", "before", "after", "kept");
        foreach (var (group, kept) in Record.Groups)
            table.Add(group.Name, group.Channels, (long)kept.Count, TextTable.Percent(kept.Count / (double)group.Channels));
        table.Add("parameters", ParametersBefore, ParametersAfter, TextTable.Percent(ParametersAfter / (double)ParametersBefore));
        return table + string.Create(
            CultureInfo.InvariantCulture,
            $"largest difference of the output: {Difference:0.0E+0}, of values up to {Scale:0.0E+0}{Environment.NewLine}");
    }
}
