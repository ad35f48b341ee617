using System.Globalization;

namespace Pdp.Samples;

/// <summary>
/// Numbers between two ends, written as in mathematics: <c>[0, 1)</c> is 0 and what is below 1, <c>(-∞, ∞)</c> any finite number;
/// never NaN.
/// </summary>
internal readonly record struct Interval(double Least, double Most, bool HasLeast, bool HasMost)
{
    /// <summary>Reads an interval such as <c>(0, ∞)</c>.</summary>
    public static Interval Parse(string text)
    {
        var ends = text[1..^1].Split(", ");
        return new Interval(End(ends[0]), End(ends[1]), text[0] == '[', text[^1] == ']');
    }

    public bool Contains(double value) => (HasLeast ? value >= Least : value > Least) && (HasMost ? value <= Most : value < Most);

    /// <summary>Words that follow "must be".</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(
        Most < double.PositiveInfinity ? $"in {(HasLeast ? '[' : '(')}{Least}, {Most}{(HasMost ? ']' : ')')}"
        : Least == double.NegativeInfinity ? "finite"
        : HasLeast ? $"at least {Least}" : $"above {Least}")}");

    private static double End(string text) => text switch
    {
        "∞" => double.PositiveInfinity,
        "-∞" => double.NegativeInfinity,
        _ => double.Parse(text, CultureInfo.InvariantCulture),
    };
}
