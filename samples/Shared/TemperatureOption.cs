using System.Globalization;

namespace Pdp.Samples;

/// <summary>The value of <c>--relative-temperature</c> or <c>--gradient-temperature</c>: ρ, or where it is annealed from and to.</summary>
internal static class TemperatureOption
{
    /// <exception cref="ArgumentException">The text is neither a number above 0 nor two with a colon between them.</exception>
    public static (double From, double? To) Parse(string text) => text.Split(':') switch
    {
        [var ratio] when Number(ratio) is { } constant => (constant, null),
        [var first, var last] when Number(first) is { } from && Number(last) is { } to => (from, to),
        _ => throw new ArgumentException($"Must be a number, or two such as 1:0.03, above 0, not '{text}'."),
    };

    /// <summary>The text itself, if there is such a temperature, or null if none is given.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static string? Checked(string? text)
    {
        _ = text is null ? default : Parse(text);
        return text;
    }

    private static double? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && number is > 0 and < double.PositiveInfinity ? number : null;
}
