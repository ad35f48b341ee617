using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pdp.Saving;

/// <summary>How states are written as JSON, and read strictly.</summary>
/// <remarks>By code made at compile time, as trimmed programs have no reflection for it.</remarks>
[JsonSerializable(typeof(PrunerState))]
internal sealed partial class PrunerStateJson : JsonSerializerContext
{
    /// <summary>Refuses members that are unknown, missing, null or there twice, and numbers that are none.</summary>
    public static PrunerStateJson Strict { get; } = new(new JsonSerializerOptions
    {
        WriteIndented = true,
        Converters = { new WholeNumberJson<int>(), new WholeNumberJson<long>() },
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    });
}
