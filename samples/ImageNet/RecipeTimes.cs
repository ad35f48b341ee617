using System.Globalization;
using System.Reflection;

namespace Pdp.Samples.ImageNet;

/// <summary>The times of a recipe, in epochs, for a run that is longer or shorter than the recipe's own.</summary>
internal static class RecipeTimes
{
    private const string Slope = "--epsilon";
    private const int Digits = 6;
    private static readonly string[] Times = [.. CommandLine.Properties<Settings>().Where(IsTime).Select(CommandLine.Option)];

    /// <summary>A recipe's arguments with its times as the same shares of another run; a slope per epoch goes the other way.</summary>
    public static IReadOnlyList<string> Scaled(IReadOnlyList<string> recipe, int from, int to) =>
    [
        .. recipe.Chunk(2).SelectMany(pair => new[] { pair[0], Scaled(pair[0], pair[1], from, to) }),
    ];

    /// <summary>The pairs of a recipe's arguments that are times.</summary>
    public static IEnumerable<string[]> Of(IReadOnlyList<string> recipe) =>
        recipe.Chunk(2).Where(pair => pair[0] == Slope || Times.Contains(pair[0]));

    private static bool IsTime(PropertyInfo property) => property.GetCustomAttribute<OptionAttribute>()?.Value == OptionAttribute.Epochs;

    private static string Scaled(string option, string text, int from, int to) =>
        option == Slope ? Scale(text, to, from) : Times.Contains(option) ? Scale(text, from, to) : text;

    private static string Scale(string text, int from, int to) =>
        Math.Round(double.Parse(text, CultureInfo.InvariantCulture) * to / from, Digits).ToString(CultureInfo.InvariantCulture);
}
