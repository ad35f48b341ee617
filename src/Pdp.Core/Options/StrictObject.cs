using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pdp.Options;

/// <summary>A JSON object that is read strictly: each member must be known, of the right type and in its range.</summary>
/// <remarks>
/// Names match in any case, and numbers and booleans may be written as strings, as in configuration providers. A member that is null counts
/// as absent. Every fault is a <see cref="JsonException"/> whose message begins with the path.
/// </remarks>
internal sealed class StrictObject
{
    private readonly JsonObject _members;
    private readonly List<string> _known = [];

    private StrictObject(JsonObject members) => _members = members;

    /// <summary>Reads an object with a function that reads its members; any other member is unknown.</summary>
    /// <exception cref="JsonException">A member is unknown, missing, of the wrong type or out of its range.</exception>
    public static T Read<T>(JsonNode node, Func<StrictObject, T> read)
    {
        var members = new StrictObject(node as JsonObject ?? throw Fault(node.GetPath(), "must be an object"));
        try
        {
            var value = read(members);
            members.RequireKnown();
            return value;
        }
        catch (ArgumentException fault)
        {
            throw members.Fault(fault);
        }
    }

    /// <summary>A fault at a path.</summary>
    public static JsonException Fault(string path, string what, Exception? inner = null) => new($"{path} {what}", path, null, null, inner);

    /// <summary>A number; null if absent.</summary>
    public double? Number(string name) => Of(name) is not JsonValue value ? null
        : value.TryGetValue(out double number)
            || (value.TryGetValue(out string? text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number))
            ? number
            : throw Fault(value.GetPath(), $"is {value.ToJsonString()} and must be a number");

    /// <summary>A whole number; null if absent.</summary>
    public int? Whole(string name) => Number(name) is not { } number ? null
        : number == (int)number ? (int)number
        : throw Fault(PathOf(name), string.Create(CultureInfo.InvariantCulture, $"is {number:R} and must be a whole number"));

    /// <summary>A Boolean; null if absent.</summary>
    public bool? Flag(string name) => Of(name) is not JsonValue value ? null
        : value.TryGetValue(out bool flag) || (value.TryGetValue(out string? text) && bool.TryParse(text, out flag))
            ? flag
            : throw Fault(value.GetPath(), $"is {value.ToJsonString()} and must be true or false");

    /// <summary>A string; null if absent.</summary>
    public string? Text(string name) => Of(name) is not { } node ? null : TextOf(node);

    /// <summary>One of a set of strings, in any case; null if absent.</summary>
    public string? Choice(string name, params string[] choices) => Text(name) is not { } text ? null
        : choices.FirstOrDefault(choice => choice.Equals(text, StringComparison.OrdinalIgnoreCase))
            ?? throw Fault(PathOf(name), $"is '{text}' and must be one of {string.Join(", ", choices)}");

    /// <summary>A member that a function reads; null if absent.</summary>
    public T? Member<T>(string name, Func<JsonNode, T> read)
        where T : class => Of(name) is { } node ? read(node) : null;

    /// <summary>The members of a list, each read by a function; null if absent.</summary>
    /// <remarks>
    /// Configuration providers represent a list as an object with the members 0, 1, …, and an empty list as an empty string.
    /// </remarks>
    public IReadOnlyList<T>? List<T>(string name, Func<JsonNode, T> read) => Of(name) switch
    {
        null => null,
        JsonArray array => [.. array.Select((item, i) => read(item ?? throw Fault($"{array.GetPath()}[{i}]", "is null")))],
        JsonObject items when items.Select((item, i) => item.Value is not null && items.ContainsKey($"{i}")).All(isItem => isItem) =>
            [.. Enumerable.Range(0, items.Count).Select(i => read(items[$"{i}"]!))],
        JsonObject items when items.Count > 0 && items.All(item => item.Key.All(char.IsAsciiDigit)) =>
            throw Fault(items.GetPath(), $"has no item {Enumerable.Range(0, items.Count).First(i => !items.ContainsKey($"{i}"))}"),
        JsonValue value when value.TryGetValue(out string? text) && text.Length == 0 => [],
        { } other => throw Fault(other.GetPath(), "must be a list"),
    };

    /// <summary>All members, as numbers by name.</summary>
    public IReadOnlyDictionary<string, double> Numbers() => _members.Select(pair => pair.Key)
        .ToDictionary(name => name, name => Number(name) ?? throw Fault(PathOf(name), "is null and must be a number"),
            StringComparer.Ordinal);

    /// <summary>The path of a member.</summary>
    public string PathOf(string name) => _members[name]?.GetPath() ?? $"{_members.GetPath()}.{name}";

    /// <summary>
    /// Throws in place of a required member that is absent: <c>members.Number("epochs") ?? members.Missing&lt;double&gt;("epochs")</c>.
    /// </summary>
    /// <exception cref="JsonException">Always.</exception>
    public T Missing<T>(string name) =>
        throw Fault(_members.GetPath(),
            $"lacks {name}; it has {(_members.Count == 0 ? "no members" : string.Join(", ", _members.Select(pair => pair.Key)))}");

    /// <summary>The string that a node holds.</summary>
    public static string TextOf(JsonNode node) => node is JsonValue value && value.TryGetValue(out string? text)
        ? text
        : throw Fault(node.GetPath(), $"is {node.ToJsonString()} and must be a string");

    private JsonNode? Of(string name)
    {
        _known.Add(name);
        return _members[name];
    }

    private void RequireKnown()
    {
        if (_members.Select(pair => pair.Key).Except(_known, StringComparer.OrdinalIgnoreCase).FirstOrDefault() is { } unknown)
            throw Fault(PathOf(unknown), $"is unknown; the members here are {string.Join(", ", _known)}");
    }

    /// <summary>Turns the exception of a constructor or accessor into a fault at the member that has the name of its parameter.</summary>
    private JsonException Fault(ArgumentException fault)
    {
        var path = fault.ParamName is { } name && _members.ContainsKey(name) ? PathOf(name) : _members.GetPath();
        var message = fault.ParamName is null
            ? fault.Message
            : fault.Message.Replace($" (Parameter '{fault.ParamName}')", "", StringComparison.Ordinal);
        return Fault(path, $"is not valid: {message.ReplaceLineEndings(" ")}", fault);
    }
}
