using System.Globalization;
using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Text.RegularExpressions;

namespace Pdp.Samples;

/// <summary>
/// Overrides the properties of a settings record by <c>--name value</c> pairs: <c>--weight-decay 1e-4</c> sets
/// <c>WeightDecay</c>. A switch (bool) may stand without a value.
/// </summary>
internal static partial class CommandLine
{
    /// <exception cref="ArgumentException">A name is unknown or a value is not of its type or out of range.</exception>
    public static T Parse<T>(IReadOnlyList<string> arguments)
        where T : class, new()
    {
        var settings = new T();
        var properties = Properties<T>().ToDictionary(Option, StringComparer.Ordinal);
        for (var i = 0; i < arguments.Count; i++)
        {
            var option = arguments[i];
            if (!properties.TryGetValue(option, out var property))
            {
                throw new ArgumentException(Unknown("setting", option, properties.Keys));
            }

            var hasValue = i + 1 < arguments.Count && !properties.ContainsKey(arguments[i + 1]);
            if (!hasValue && property.PropertyType != typeof(bool))
            {
                throw new ArgumentException($"{option} wants a value after it.");
            }

            Set(settings, property, option, hasValue ? arguments[++i] : "true");
        }

        return settings;
    }

    /// <summary>The settings as a command line, without those that are not set.</summary>
    public static string Echo<T>(T settings, params IEnumerable<string> except)
        where T : class => string.Join(' ', Pairs(settings, except).Select(pair => $"{pair.Key} {pair.Value}"));

    /// <summary>The settings by option, in their order, without those that are not set.</summary>
    public static OrderedDictionary<string, string> Pairs<T>(T settings, params IEnumerable<string> except)
        where T : class
    {
        var pairs = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var property in Properties<T>().Where(property => !except.Contains(property.Name)))
        {
            if (Text(property.GetValue(settings)) is { } text)
            {
                pairs.Add(Option(property), text);
            }
        }

        return pairs;
    }

    /// <summary>The names of the settings and their defaults, a line each.</summary>
    public static string Help<T>()
        where T : class, new()
    {
        var defaults = new T();
        var lines = Properties<T>().Select(property => $"  {Option(property)} {Text(property.GetValue(defaults)) ?? "(not set)"}");
        return string.Join(Environment.NewLine, ["Settings and their defaults:", .. lines, ""]);
    }

    /// <summary>Says that a name is not known, and the near one that may be meant.</summary>
    public static string Unknown(string what, string name, IReadOnlyCollection<string> known) => NearName.Of(name, known) is { } nearest
        ? $"There is no {what} '{name}'; did you mean {nearest}?"
        : $"There is no {what} '{name}'; there are {string.Join(", ", known)}.";

    private static IEnumerable<PropertyInfo> Properties<T>() =>
        typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite);

    private static string Option(PropertyInfo property) => "--" + Capital().Replace(property.Name, "-$0").ToLowerInvariant();

    private static string? Text(object? value) => value is null ? null : Convert.ToString(value, CultureInfo.InvariantCulture);

    [GeneratedRegex("(?<!^)[A-Z]")]
    private static partial Regex Capital();

    private static void Set(object settings, PropertyInfo property, string option, string text)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        object value;
        try
        {
            value = Convert.ChangeType(text, type, CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            throw new ArgumentException($"{option} wants {Noun(type)}, not '{text}'.", e);
        }

        try
        {
            property.SetValue(settings, value);
        }
        catch (TargetInvocationException e) when (e.InnerException is { } cause)
        {
            ExceptionDispatchInfo.Throw(cause);
        }
    }

    private static string Noun(Type type) =>
        type == typeof(bool) ? "true or false" : type == typeof(double) ? "a number" : "a whole number";
}
