using System.Text.Json.Serialization;
using Pdp.Internal;

namespace Pdp.Sparse.Reporting;

/// <summary>Writes plans and reports as JSON with code generated at compile time, so that it works in trimmed programs.</summary>
[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(SparsePlan))]
[JsonSerializable(typeof(SparseReport))]
internal sealed partial class SparseJson : JsonSerializerContext
{
    public static SparseJson Readable { get; } = new(ReadableJson.Options());

    /// <summary>For reading.</summary>
    public static SparseJson Strict { get; } = new(StrictJson.Options());
}
