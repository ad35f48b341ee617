using System.Globalization;

namespace Pdp.Internal;

/// <summary>Formats values for saved states and messages, independently of the culture.</summary>
internal static class InvariantText
{
    /// <summary>The largest number of names listed; the others are only counted.</summary>
    private const int MostNames = 3;

    public static string Of(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    public static string Listed(string[] names) =>
        names.Length <= MostNames
            ? string.Join(", ", names)
            : $"{string.Join(", ", names.Take(MostNames))} and {names.Length - MostNames} more";

    /// <summary>The result of an object's <c>ToString</c>; its type if that is empty or throws.</summary>
    public static string Of(object value)
    {
        var culture = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
            return value.ToString() is { Length: > 0 } words ? words : value.GetType().ToString();
        }
#pragma warning disable CA1031 // A user's type that can't print itself can still be trained with.
        catch (Exception)
#pragma warning restore CA1031
        {
            return value.GetType().ToString();
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }
}
