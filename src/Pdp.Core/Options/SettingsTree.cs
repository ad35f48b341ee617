using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pdp.Options;

/// <summary>Turns settings from configuration providers, such as <c>Schedule:Type = oneShot</c>, into a tree.</summary>
internal static class SettingsTree
{
    /// <summary>Builds the tree; settings that are null are sections or absent.</summary>
    /// <exception cref="JsonException">A setting has both a value and members, or occurs twice, or has no name.</exception>
    public static JsonObject Of(IEnumerable<KeyValuePair<string, string?>> settings)
    {
        var root = New();
        foreach (var (name, value) in settings)
        {
            if (value is not null)
                Set(root, (name ?? throw StrictObject.Fault("$", "has a setting without a name")).Split(':'), value);
        }

        return root;
    }

    private static JsonObject New() => new(new JsonNodeOptions { PropertyNameCaseInsensitive = true });

    private static void Set(JsonObject parent, string[] path, string value)
    {
        foreach (var part in path[..^1])
            parent = parent[part] switch
            {
                null => (JsonObject)(parent[part] = New()),
                JsonObject section => section,
                { } taken => throw StrictObject.Fault(taken.GetPath(), "has a value and members"),
            };
        if (parent[path[^1]] is { } before)
            throw StrictObject.Fault(before.GetPath(), before is JsonObject ? "has a value and members" : "is set twice");
        parent[path[^1]] = value;
    }
}
