using System.Text.Json.Serialization;
using Pdp.Internal;

namespace Pdp.Sparse.Reporting;

/// <summary>Writes reports as JSON with code generated at compile time, so that it works in trimmed programs.</summary>
[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(SparseReport))]
internal sealed partial class ReportJson : JsonSerializerContext
{
    public static ReportJson Readable { get; } = new(ReadableJson.Options());
}
