using System.Numerics;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pdp.Internal;

/// <summary>Reads whole numbers in any notation: tools that only know floating point write <c>2</c> as <c>2.0</c>.</summary>
/// <typeparam name="T">The type of the number.</typeparam>
internal sealed class WholeNumberJson<T> : JsonConverter<T>
    where T : struct, IBinaryInteger<T>, IMinMaxValue<T>
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetDecimal(out var number) && IsOne(number)
            ? T.CreateChecked(number)
            : throw new JsonException();

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WriteNumberValue(long.CreateChecked(value));

    private static bool IsOne(decimal number) =>
        decimal.IsInteger(number) && number >= decimal.CreateChecked(T.MinValue) && number <= decimal.CreateChecked(T.MaxValue);
}
