using System.Text.Json;
using Pdp.Saving;

namespace Pdp.Tests.Saving;

public sealed class LongTextTests
{
    private static readonly JsonSerializerOptions Options = new() { Converters = { new LongText(longest: 4) } };

    [Theory]
    [InlineData("", "\"\"")]
    [InlineData("abcd", "\"abcd\"")]
    [InlineData("abcde", "[\"abcd\",\"e\"]")]
    [InlineData("abcdefgh", "[\"abcd\",\"efgh\"]")]
    public void Write_OfAText_MakesPartsOfALongOne(string text, string expected)
    {
        var json = JsonSerializer.Serialize(text, Options);

        Assert.Equal(expected, json);
        Assert.Equal(text, JsonSerializer.Deserialize<string>(json, Options));
    }

    [Theory]
    [InlineData("3")]
    [InlineData("{}")]
    [InlineData("[\"a\",3]")]
    [InlineData("[\"a\",null]")]
    [InlineData("[[\"a\"]]")]
    [InlineData("[\"a\"")]
    public void Read_OfSomethingElse_IsAFault(string json) =>
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<string>(json, Options));
}
