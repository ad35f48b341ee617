using System.Text.Json.Serialization;
using Pdp.Internal;

namespace Pdp.Sparse.Options;

/// <summary>Writes and reads plans as JSON with code generated at compile time, so that it works in trimmed programs.</summary>
[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(SparsePlan))]
internal sealed partial class PlanJson : JsonSerializerContext
{
    public static PlanJson Readable { get; } = new(ReadableJson.Options());

    /// <summary>For reading.</summary>
    public static PlanJson Strict { get; } = new(StrictJson.Options());
}
