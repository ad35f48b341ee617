using System.Text.Json.Nodes;

namespace Pdp.Options;

/// <summary>Writes and reads matches as JSON: a name pattern is a string, the others are objects.</summary>
internal static class MatchJson
{
    private const string Type = "type";
    private const string First = "first";
    private const string Classifier = "classifier";
    private const string Module = "module";
    private const string Name = "name";

    /// <summary>Writes a match.</summary>
    /// <exception cref="NotSupportedException">It holds a predicate.</exception>
    public static JsonNode Write(LayerMatch match, string setting) =>
        ReferenceEquals(match, LayerMatch.First) ? new JsonObject { [Type] = First }
        : ReferenceEquals(match, LayerMatch.Classifier) ? new JsonObject { [Type] = Classifier }
        : match.TypeName is { } type ? new JsonObject { [Type] = Module, [Name] = type }
        : match.Pattern is { } pattern ? JsonValue.Create(pattern)
        : throw new NotSupportedException(
            $"{setting}, {match}, holds code, which can't be written as JSON: use a name pattern or a module type, or leave it out of the "
            + "JSON and set it in code after reading the options.");

    /// <summary>Reads a match.</summary>
    public static LayerMatch Read(JsonNode node) => node is JsonValue
        ? LayerMatch.Named(StrictObject.TextOf(node) is { Length: > 0 } pattern
            ? pattern
            : throw StrictObject.Fault(node.GetPath(), "is empty and must be a name pattern"))
        : StrictObject.Read(node, members => members.Choice(Type, First, Classifier, Module) switch
        {
            First => LayerMatch.First,
            Classifier => LayerMatch.Classifier,
            Module => LayerMatch.OfType(members.Text(Name) ?? members.Missing<string>(Name)),
            _ => members.Missing<LayerMatch>(Type),
        });
}
