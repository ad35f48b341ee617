using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Pdp.Internal;

namespace Pdp.Reporting;

/// <summary>How plans and reports are written as JSON: by code made at compile time, as trimmed programs have no reflection for it.</summary>
[JsonSerializable(typeof(PruningPlan))]
[JsonSerializable(typeof(PruningReport))]
[JsonSerializable(typeof(ShrinkRecord))]
[JsonSerializable(typeof(ShrinkReport))]
internal sealed partial class ReportJson : JsonSerializerContext
{
    /// <summary>Indented, and with names as they are: only HTML would need more of them escaped.</summary>
    public static ReportJson Readable { get; } = new(new JsonSerializerOptions
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    /// <summary>For what is read back.</summary>
    public static ReportJson Strict { get; } = new(StrictJson.Options());
}
