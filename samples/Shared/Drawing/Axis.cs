using System.Globalization;

namespace Pdp.Samples.Drawing;

/// <summary>An axis: its label, the numbers at its ends, and the ticks between them.</summary>
internal sealed record Axis(string Label, double Low, double High, IReadOnlyList<Tick> Ticks)
{
    private const int Steps = 5;

    /// <summary>An axis around numbers, with ticks at round ones.</summary>
    /// <param name="label">What the numbers are, with their unit.</param>
    /// <param name="values">The numbers; those that are not finite have no place on the axis.</param>
    /// <param name="low">Where it begins; below the least number if null.</param>
    /// <param name="high">Where it ends; above the greatest number if null.</param>
    public static Axis Around(string label, IEnumerable<double> values, double? low = null, double? high = null)
    {
        var (least, most) = Ends(values, low, high, margin: null);
        var step = Step(most - least);
        return Of(label, low ?? (Math.Floor(least / step) * step), high ?? (Math.Ceiling(most / step) * step), step);
    }

    /// <summary>An axis from the first to the last of some whole numbers, such as epochs.</summary>
    public static Axis Whole(string label, IEnumerable<double> values)
    {
        var (least, most) = Ends(values, low: null, high: null, margin: 0.5);
        return Of(label, least, most, Math.Max(1, Step(most - least)));
    }

    /// <summary>An axis with names at 0, 1, 2, …</summary>
    public static Axis Named(string label, IReadOnlyList<string> names) =>
        new(label, -0.5, names.Count - 0.5, [.. names.Select((name, index) => new Tick(index, name))]);

    /// <summary>A round number, so that a span has about five of them.</summary>
    private static double Step(double span)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(span / Steps)));
        return (span / Steps / power) switch
        {
            <= 1 => power,
            <= 2 => 2 * power,
            <= 5 => 5 * power,
            _ => 10 * power,
        };
    }

    private static (double Least, double Most) Ends(IEnumerable<double> values, double? low, double? high, double? margin)
    {
        double[] finite = [.. values.Where(double.IsFinite)];
        var least = low ?? (finite.Length == 0 ? 0 : finite.Min());
        var most = high ?? (finite.Length == 0 ? 1 : finite.Max());
        var around = margin ?? Math.Max(Math.Abs(least) / 20, 1e-3);
        return most > least ? (least, most) : (least - around, least + around);
    }

    private static Axis Of(string label, double low, double high, double step)
    {
        var first = Math.Ceiling((low / step) - 1e-6);
        var count = (int)Math.Floor((high / step) - first + 1e-6) + 1;
        return new Axis(label, low, high,
            [.. Enumerable.Range(0, count).Select(i => (first + i) * step).Select(at => new Tick(at, Text(at, step)))]);
    }

    private static string Text(double value, double step)
    {
        var digits = Math.Max(0, (int)-Math.Floor(Math.Log10(step) + 1e-9));
        var rounded = Math.Abs(value) < step / 2 ? 0 : value;
        return digits > 4 || Math.Abs(rounded) >= 1e6
            ? rounded.ToString("0.##e0", CultureInfo.InvariantCulture)
            : rounded.ToString($"N{digits}", CultureInfo.InvariantCulture);
    }
}
