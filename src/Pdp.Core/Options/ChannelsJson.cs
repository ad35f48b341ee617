using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Pdp.Internal;

namespace Pdp.Options;

/// <summary>Writes the channels and multiply-accumulates of a model as part of its options, and reads them strictly.</summary>
[JsonSerializable(typeof(ChannelMap))]
[JsonSerializable(typeof(MacCount))]
internal sealed partial class ChannelsJson : JsonSerializerContext
{
    private static readonly ChannelsJson Strict = new(StrictJson.Options());

    public static JsonNode Write(ChannelMap map) => JsonSerializer.SerializeToNode(map, Strict.ChannelMap)!;

    public static JsonNode Write(MacCount macs) => JsonSerializer.SerializeToNode(macs, Strict.MacCount)!;

    /// <summary>Reads channels.</summary>
    /// <exception cref="JsonException">The JSON doesn't describe channels, or a group is inconsistent.</exception>
    public static ChannelMap ReadMap(JsonNode node)
    {
        var map = Read(node, Strict.ChannelMap);
        return map.Fault is { } fault ? throw StrictObject.Fault($"{node.GetPath()}.groups", $"is not valid: {fault}") : map;
    }

    /// <summary>Reads multiply-accumulates.</summary>
    /// <exception cref="JsonException">The JSON doesn't describe multiply-accumulates, or a size is out of range.</exception>
    public static MacCount ReadMacs(JsonNode node)
    {
        var macs = Read(node, Strict.MacCount);
        foreach (var (i, layer) in macs.Layers.Index())
        {
            if (layer.Positions < 0 || layer.Shape.Count == 0 || layer.Shape.Any(size => size < 1))
                throw StrictObject.Fault($"{node.GetPath()}.layers[{i}]",
                    "is not valid: positions must be in [0, ∞) and sizes of the shape in [1, ∞)");
        }

        return macs;
    }

    private static T Read<T>(JsonNode node, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return node.Deserialize(type)!;
        }
        catch (JsonException fault)
        {
            throw StrictObject.Fault(node.GetPath(), $"is not valid: {fault.Message}", fault);
        }
    }
}
