using System.Text.Json;

namespace Pdp.Samples;

/// <summary>How the sample writes JSON, and reads it again: what is missing or null without being allowed to is an error.</summary>
internal static class Json
{
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };
}
