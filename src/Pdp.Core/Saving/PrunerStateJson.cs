using System.Text.Json.Serialization;
using Pdp.Internal;

namespace Pdp.Saving;

/// <summary>How states are written as JSON, and read strictly.</summary>
/// <remarks>By code made at compile time, as trimmed programs have no reflection for it.</remarks>
[JsonSerializable(typeof(PrunerState))]
internal sealed partial class PrunerStateJson : JsonSerializerContext
{
    public static PrunerStateJson Strict { get; } = new(StrictJson.Options());
}
