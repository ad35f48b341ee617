using System.Text.Json;

namespace Pdp.Samples.Cifar10;

/// <summary>How the sample writes JSON.</summary>
internal static class Json
{
    public static JsonSerializerOptions Options { get; } = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
}
