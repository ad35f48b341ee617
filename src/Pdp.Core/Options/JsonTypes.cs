using System.Collections;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pdp.Options;

/// <summary>
/// The implementations of an interface that can be written as JSON; the member <c>type</c>, the type's name in camel case, tells which.
/// </summary>
/// <remarks>A string stands for an object with that type and no other members.</remarks>
/// <typeparam name="T">The interface.</typeparam>
internal sealed class JsonTypes<T> : IEnumerable<string>
    where T : class
{
    private const string Discriminator = "type";

    private readonly Dictionary<string, Converter> _converters = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Adds a type, with functions that write and read its members.</summary>
    public void Add<TType>(Func<TType, JsonObject> write, Func<StrictObject, TType> read)
        where TType : T => _converters.Add(NameOf(typeof(TType)), new(value => write((TType)value), members => read(members)));

    /// <summary>Writes a value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="setting">The name of the setting, for messages.</param>
    /// <exception cref="NotSupportedException">The value is of another type.</exception>
    public JsonNode Write(T value, string setting)
    {
        var name = NameOf(value.GetType());
        if (!_converters.TryGetValue(name, out var converter))
            throw new NotSupportedException(
                $"{setting} is a {value.GetType().Name}, which can't be written as JSON; the types that can are {string.Join(", ", this)}. "
                + "Leave it out of the JSON and set it in code after reading the options.");

        var written = converter.Write(value);
        written.Insert(0, Discriminator, name);
        return written;
    }

    /// <summary>Reads a value.</summary>
    /// <exception cref="JsonException">The type is unknown, or a member is not valid.</exception>
    public T Read(JsonNode node) => StrictObject.Read(node is JsonValue ? Expanded(node) : node, members =>
    {
        var name = members.Text(Discriminator) ?? members.Missing<string>(Discriminator);
        return _converters.TryGetValue(name, out var converter)
            ? converter.Read(members)
            : throw StrictObject.Fault(members.PathOf(Discriminator), $"is '{name}' and must be one of {string.Join(", ", this)}");
    });

    public IEnumerator<string> GetEnumerator() => _converters.Keys.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The object that a string stands for, which replaces the string.</summary>
    private static JsonObject Expanded(JsonNode name)
    {
        var whole = new JsonObject(name.Options) { [Discriminator] = StrictObject.TextOf(name) };
        name.Parent![name.GetPropertyName()] = whole;
        return whole;
    }

    private static string NameOf(Type type) => JsonNamingPolicy.CamelCase.ConvertName(type.Name);

    private sealed record Converter(Func<T, JsonObject> Write, Func<StrictObject, T> Read);
}
