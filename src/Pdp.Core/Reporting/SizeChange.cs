using System.Globalization;
using Pdp.Internal;

namespace Pdp;

/// <summary>The size of a model with all channels, and without those that are removed.</summary>
/// <param name="Before">The dense model.</param>
/// <param name="After">
/// The model after removed channels are cut out of every parameter, including those of the layers that read them.
/// </param>
public sealed record SizeChange(ModelSize Before, ModelSize After)
{
    /// <summary>
    /// Formats the change as a line, such as <c>when shrunk: 60 of 100 parameters (60.00%), 240 of 400 bytes (60.00%), 45 of 100 MACs
    /// (45.00%)</c>.
    /// </summary>
    public override string ToString()
    {
        var macs = Before.Macs is { } before && After.Macs is { } after
            ? $", {Part(after, before)} MACs ({TextTable.Percent(after / (double)before)})"
            : "";
        return $"when shrunk: {Part(After.Parameters, Before.Parameters)} parameters "
            + $"({TextTable.Percent(After.Parameters / (double)Before.Parameters)}), {Part(After.Bytes, Before.Bytes)} bytes "
            + $"({TextTable.Percent(After.Bytes / (double)Before.Bytes)}){macs}";
    }

    private static string Part(long part, long whole) => string.Create(CultureInfo.InvariantCulture, $"{part:N0} of {whole:N0}");
}
