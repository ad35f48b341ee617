using System.Globalization;
using System.Runtime.CompilerServices;

namespace Pdp.Internal;

/// <summary>Checks intervals, so that NaN fails too.</summary>
internal static class Guard
{
    /// <summary>[0, 1).</summary>
    public static double Fraction(double value, [CallerMemberName] string name = "") =>
        value is >= 0 and < 1 ? value : throw OutsideUnit(name, value, "[0, 1)");

    /// <summary>[0, 1].</summary>
    public static double Share(double value, [CallerMemberName] string name = "") =>
        value is >= 0 and <= 1 ? value : throw OutsideUnit(name, value, "[0, 1]");

    /// <summary>(0, 1).</summary>
    public static double Inside(double value, [CallerMemberName] string name = "") =>
        value is > 0 and < 1 ? value : throw OutsideUnit(name, value, "(0, 1)");

    /// <summary>(0, ∞).</summary>
    public static double Positive(double value, [CallerMemberName] string name = "") =>
        value > 0 && double.IsFinite(value) ? value : throw Outside(name, value, "(0, ∞)");

    /// <summary>[0, ∞).</summary>
    public static double NotNegative(double value, [CallerMemberName] string name = "") =>
        value >= 0 && double.IsFinite(value) ? value : throw Outside(name, value, "[0, ∞)");

    /// <summary>(<paramref name="start"/>, ∞).</summary>
    public static double After(double start, double value, string name) =>
        value > start && double.IsFinite(value)
            ? value
            : throw Outside(name, value, string.Create(CultureInfo.InvariantCulture, $"({start}, ∞)"));

    public static T NotNull<T>(T? value, [CallerMemberName] string name = "")
        where T : class => value ?? throw new ArgumentNullException(name);

    /// <summary>Whether a string is a whole number that consists only of digits.</summary>
    public static bool IsWhole(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    public static ArgumentOutOfRangeException Outside(string name, object value, string range) =>
        new(name, value, $"Must be in {range}.");

    /// <summary>The same for a fraction; a value that looks like a percentage is shown as the fraction to write.</summary>
    private static ArgumentOutOfRangeException OutsideUnit(string name, double value, string range) =>
        value is > 1 and < 100 || (value == 100 && range[^1] == ']')
            ? Outside(name, value, string.Create(CultureInfo.InvariantCulture,
                $"{range}, a fraction: {value / 100:0.######}, not {value:0.######}"))
            : Outside(name, value, range);
}
