using System.Text.Json.Serialization;
using Pdp.Internal;

namespace Pdp.Channels.Shrinking;

/// <summary>Source-generated JSON of shrink records and reports: trimmed programs can't use reflection for it.</summary>
[JsonSerializable(typeof(ShrinkRecord))]
[JsonSerializable(typeof(ShrinkReport))]
internal sealed partial class ShrinkJson : JsonSerializerContext
{
    public static ShrinkJson Readable { get; } = new(ReadableJson.Options());
}
