using System.Globalization;
using System.Text.Json;

namespace Pdp.Benchmarks;

/// <summary>Writes one measurement as a line of JSON.</summary>
internal static class Line
{
    public static void Write(string benchmark, params (string Name, object? Value)[] values)
    {
        var fields = new Dictionary<string, object> { ["benchmark"] = benchmark };
        // What a case doesn't have is left out.
        foreach (var (name, value) in values.Where(pair => pair.Value is not null).Select(pair => (pair.Name, pair.Value!)))
            fields[name] = value is double number ? Rounded(number) : value;
        Console.WriteLine(JsonSerializer.Serialize(fields));
    }

    /// <summary>Four digits: more would be noise.</summary>
    private static double Rounded(double value) =>
        double.Parse(value.ToString("G4", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
