using System.Text.Json.Serialization;
using Pdp.Internal;

namespace Pdp.Channels.Shrinking;

/// <summary>How what a model lost is written as JSON: by code made at compile time, as trimmed programs have no reflection for it.</summary>
[JsonSerializable(typeof(ShrinkRecord))]
[JsonSerializable(typeof(ShrinkReport))]
internal sealed partial class ShrinkJson : JsonSerializerContext
{
    public static ShrinkJson Readable { get; } = new(ReadableJson.Options());
}
