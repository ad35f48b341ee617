using System.Globalization;

namespace Pdp.Internal;

/// <summary>What values are called in saved states and in messages: the same in every culture.</summary>
internal static class Words
{
    /// <summary>The most names that are listed; the others are counted.</summary>
    private const int MostNames = 3;

    public static string Of(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    public static string Listed(string[] names) =>
        names.Length <= MostNames ? string.Join(", ", names) : $"{string.Join(", ", names.Take(MostNames))} and {names.Length - MostNames} more";

    /// <summary>What an object says of itself; its type where that is nothing, or fails.</summary>
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
