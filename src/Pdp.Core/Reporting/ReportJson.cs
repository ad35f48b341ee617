using System.Text.Json.Serialization;
using Pdp.Internal;

namespace Pdp.Reporting;

/// <summary>Writes plans and reports as JSON with code generated at compile time, so that it works in trimmed programs.</summary>
[JsonSerializable(typeof(PruningPlan))]
[JsonSerializable(typeof(PruningReport))]
[JsonSerializable(typeof(SensitivityReport))]
internal sealed partial class ReportJson : JsonSerializerContext
{
    public static ReportJson Readable { get; } = new(ReadableJson.Options());

    /// <summary>For reading.</summary>
    public static ReportJson Strict { get; } = new(StrictJson.Options());
}
