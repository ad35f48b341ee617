using System.Globalization;

namespace Pdp.Samples;

/// <summary>Numbers between two ends, written as in mathematics: <c>[0, 1)</c> is 0 and what is below 1; never NaN.</summary>
internal readonly record struct Interval(double Least, double Most, bool HasLeast, bool HasMost)
{
    /// <summary>Reads an interval whose lower end is finite, such as <c>(0, ∞)</c>.</summary>
    public static Interval Parse(string text)
    {
        var ends = text[1..^1].Split(", ");
        var most = ends[1] == "∞" ? double.PositiveInfinity : double.Parse(ends[1], CultureInfo.InvariantCulture);
        return new Interval(double.Parse(ends[0], CultureInfo.InvariantCulture), most, text[0] == '[', text[^1] == ']');
    }

    public bool Contains(double value) => (HasLeast ? value >= Least : value > Least) && (HasMost ? value <= Most : value < Most);

    /// <summary>Words that follow "must be".</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(
        Most < double.PositiveInfinity ? $"in {(HasLeast ? '[' : '(')}{Least}, {Most}{(HasMost ? ']' : ')')}"
        : HasLeast ? $"at least {Least}" : $"above {Least}")}");
}
