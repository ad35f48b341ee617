using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Pdp.Internal;

namespace Pdp.Reporting;

/// <summary>Writes plans and reports as JSON with code generated at compile time, so that it works in trimmed programs.</summary>
[JsonSerializable(typeof(PruningPlan))]
[JsonSerializable(typeof(PruningReport))]
[JsonSerializable(typeof(ShrinkRecord))]
[JsonSerializable(typeof(ShrinkReport))]
internal sealed partial class ReportJson : JsonSerializerContext
{
    /// <summary>Indented, with names unescaped, as the JSON doesn't go into HTML.</summary>
    public static ReportJson Readable { get; } = new(new JsonSerializerOptions
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    /// <summary>For reading.</summary>
    public static ReportJson Strict { get; } = new(StrictJson.Options());
}
