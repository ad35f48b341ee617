using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pdp.Internal;

/// <summary>How what people read is written as JSON.</summary>
internal static class ReadableJson
{
    /// <summary>Indented, and with names as they are: only HTML would need more of them escaped.</summary>
    public static JsonSerializerOptions Options() => new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
