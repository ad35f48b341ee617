using System.Globalization;
using static TorchSharp.torch;

namespace Pdp.Tests.Support;

/// <summary>Comparison of numbers by named tolerances.</summary>
internal static class Close
{
    /// <summary>Float64 chains of about ten operations on well-scaled numbers.</summary>
    public const double Float64 = 1e-12;

    /// <summary>Float32 chains: some hundred units in the last place, as a logit's error is its size times eps.</summary>
    public const double Float32 = 1e-5;

    /// <summary>A single rounding to float16, which has 11 bits.</summary>
    public const double Float16 = 1e-3;

    /// <summary>A single rounding to bfloat16, which has 8 bits.</summary>
    public const double BFloat16 = 8e-3;

    /// <summary>Half a unit in the last place printed, for reference values given to nine digits.</summary>
    public const double NineDigits = 1e-8;

    /// <summary>The tolerance of a type.</summary>
    public static double Of(ScalarType type) => type switch
    {
        ScalarType.Float64 => Float64,
        ScalarType.Float32 => Float32,
        ScalarType.BFloat16 => BFloat16,
        ScalarType.Float16 => Float16,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a type of weights."),
    };

    /// <summary>|actual − expected| ≤ relative·|expected| + absolute, in each place; NaN is never close.</summary>
    public static void Equal(IReadOnlyList<double> expected, IReadOnlyList<double> actual, double relative, double absolute = 0)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (var i = 0; i < expected.Count; i++)
        {
            var error = Math.Abs(actual[i] - expected[i]);
            Assert.True(
                actual[i].Equals(expected[i]) || error <= (relative * Math.Abs(expected[i])) + absolute,
                string.Create(CultureInfo.InvariantCulture, $"At {i}: expected {expected[i]:R}, was {actual[i]:R}, off by {error:E2}."));
        }
    }

    public static void Equal(double expected, double actual, double relative, double absolute = 0) =>
        Equal([expected], [actual], relative, absolute);
}
