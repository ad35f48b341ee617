using Pdp.Internal;

namespace Pdp.Tests.Internal;

public sealed class TextTableTests
{
    [Theory]
    [InlineData(null, "–")]
    [InlineData(0.04, "0.0")]
    [InlineData(66.66, "66.7")]
    [InlineData(999_999.0, "999999.0")]
    [InlineData(1e6, "1.0e+6")]
    [InlineData(1.04e18, "1.0e+18")]
    public void OneDigit_OfALargeNumber_HasAnExponent(double? value, string expected) => Assert.Equal(expected, TextTable.OneDigit(value));

    [Fact]
    public void ToString_AlignsNumbersRightAndTextLeft()
    {
        var table = new TextTable("name", "weights", "note");
        table.Add("a", 1234567L, "x");
        table.Add("longer", 5L, "");

        var lines = table.ToString().Split(Environment.NewLine);

        Assert.Equal(["name      weights  note", "a       1,234,567  x", "longer          5", ""], lines);
    }

    [Fact]
    public void ToString_WithoutRows_IsTheHeader() =>
        Assert.Equal("name  weights" + Environment.NewLine, new TextTable("name", "weights").ToString());

    [Theory]
    [InlineData(0.9, "90.00%")]
    [InlineData(0.12345, "12.35%")]
    [InlineData(1, "100.00%")]
    public void Percent_OfAShare_HasTwoDecimals(double share, string text) =>
        Assert.Equal(text, TextTable.Percent(share));
}
