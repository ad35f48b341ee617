using System.Globalization;

namespace Pdp.Samples;

/// <summary>Reads the text of an option's value; errors name the option.</summary>
internal static class OptionValue
{
    /// <summary>The value of a text; numbers are written as in code, whatever the system's language.</summary>
    /// <exception cref="ArgumentException">The text is not a value of the type.</exception>
    public static object Parse(Type type, string option, string text)
    {
        try
        {
            return (Nullable.GetUnderlyingType(type) ?? type) switch
            {
                var known when known == typeof(string) => text,
                var known when known == typeof(bool) => bool.Parse(text),
                var known when known == typeof(int) => int.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture),
                _ => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture),
            };
        }
        catch (FormatException e)
        {
            throw new ArgumentException($"{option} needs {Noun(type)}, not '{text}'.", e);
        }
        catch (OverflowException e)
        {
            throw new ArgumentException($"{option} needs {Noun(type)} from {int.MinValue} to {int.MaxValue}, not '{text}'.", e);
        }
    }

    /// <exception cref="ArgumentException">The value is not in the range.</exception>
    public static void Require(Interval range, string? unit, double value, string option)
    {
        if (!range.Contains(value))
        {
            throw new ArgumentException(FormattableString.Invariant($"{option} {value}: Must be {range}{Hint(range, value, unit)}."));
        }
    }

    /// <summary>An error's message without the name of the parameter, which a user of the program has never seen.</summary>
    public static string Plain(Exception error) => error.Message.Split(" (Parameter '")[0];

    private static string Hint(Interval range, double value, string? unit) =>
        double.IsPositiveInfinity(value) && double.IsFinite(range.Least) ? ", and finite"
        : unit == OptionAttribute.Fraction && value > 1 && range.Contains(value / 100)
            ? FormattableString.Invariant($", a fraction: {value / 100:0.######}, not {value}")
        : "";

    private static string Noun(Type type) =>
        (Nullable.GetUnderlyingType(type) ?? type) is var known && known == typeof(bool) ? "true or false"
        : known == typeof(int) ? "a whole number"
        : "a number";
}
