using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pdp.Saving;

/// <summary>
/// A text in JSON, in several parts where it is longer than JSON's writer takes, as the sensitivities of a layer of 31 million weights are.
/// </summary>
/// <param name="longest">The most characters of a part.</param>
internal sealed class LongText(int longest) : JsonConverter<string>
{
    // The writer takes up to 166,666,666.
    private const int Longest = 100_000_000;

    public LongText()
        : this(Longest)
    {
    }

    public override string Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String)
            return reader.GetString()!;
        if (reader.TokenType != JsonTokenType.StartArray)
            throw new JsonException("A text or an array of its parts is expected.");

        var text = new StringBuilder();
        while (reader.Read() && reader.TokenType == JsonTokenType.String)
            text.Append(reader.GetString());
        return reader.TokenType == JsonTokenType.EndArray ? text.ToString() : throw new JsonException("The parts of a text are texts.");
    }

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options)
    {
        if (value.Length <= longest)
        {
            writer.WriteStringValue(value);
            return;
        }

        writer.WriteStartArray();
        for (var start = 0; start < value.Length; start += longest)
            writer.WriteStringValue(value.AsSpan(start, Math.Min(longest, value.Length - start)));
        writer.WriteEndArray();
    }
}
