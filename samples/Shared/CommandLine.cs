using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

namespace Pdp.Samples;

/// <summary>
/// Overrides the properties of a settings record by <c>--name value</c> pairs: <c>--weight-decay 1e-4</c>, or
/// <c>--weight-decay=1e-4</c>, sets <c>WeightDecay</c>. A switch (bool) may stand without a value.
/// </summary>
internal static partial class CommandLine
{
    private const string Dashes = "--";

    /// <summary>Reads arguments over others that they override.</summary>
    /// <exception cref="ArgumentException">A name is unknown or given twice, or a value is missing, not of its type or out of
    /// range.</exception>
    public static T Parse<T>(IReadOnlyList<string> arguments, IReadOnlyList<string>? defaults = null)
        where T : class, new()
    {
        var settings = new T();
        Apply(settings, defaults ?? []);
        Apply(settings, arguments);
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

    /// <summary>Reports an unknown name, with the similar one that may be meant.</summary>
    public static string Unknown(string what, string name, IReadOnlyCollection<string> known) => NearName.Of(name, known) is { } nearest
        ? $"There is no {what} '{name}'; did you mean {nearest}?"
        : $"There is no {what} '{name}'; there are {string.Join(", ", known)}.";

    /// <summary>The settings that are options, in their order.</summary>
    public static IEnumerable<PropertyInfo> Properties<T>() =>
        typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite);

    /// <summary>The name of a setting on the command line.</summary>
    public static string Option(PropertyInfo property) => Dashes + Capital().Replace(property.Name, "-$0").ToLowerInvariant();

    private static string? Text(object? value) => value is null ? null : Convert.ToString(value, CultureInfo.InvariantCulture);

    [GeneratedRegex("(?<!^)[A-Z]")]
    private static partial Regex Capital();

    private static void Apply<T>(T settings, IReadOnlyList<string> arguments)
        where T : class
    {
        var properties = Properties<T>().ToDictionary(Option, StringComparer.Ordinal);
        var given = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < arguments.Count; i++)
        {
            var (option, value) = Split(arguments[i]);
            if (!properties.TryGetValue(option, out var property))
            {
                throw new ArgumentException(Unknown("setting", option, properties.Keys));
            }

            if (!given.Add(option))
            {
                throw new ArgumentException($"{option} is given twice.");
            }

            value ??= i + 1 < arguments.Count && !arguments[i + 1].StartsWith(Dashes, StringComparison.Ordinal) ? arguments[++i] : null;
            value ??= property.PropertyType == typeof(bool) ? "true" : null;
            Set(settings, property, option,
                string.IsNullOrWhiteSpace(value) ? throw new ArgumentException($"{option} needs a value after it.") : value);
        }
    }

    private static (string Option, string? Value) Split(string argument) =>
        argument.StartsWith(Dashes, StringComparison.Ordinal) && argument.IndexOf('=', StringComparison.Ordinal) is > 0 and var end
            ? (argument[..end], argument[(end + 1)..])
            : (argument, null);

    private static void Set(object settings, PropertyInfo property, string option, string text)
    {
        var value = OptionValue.Parse(property.PropertyType, option, text);
        if (property.GetCustomAttribute<OptionAttribute>() is { Range: { } range } attribute)
        {
            OptionValue.Require(Interval.Parse(range), attribute.Value, Convert.ToDouble(value, CultureInfo.InvariantCulture), option);
        }

        try
        {
            property.SetValue(settings, value);
        }
        catch (TargetInvocationException e) when (e.InnerException is ArgumentException cause)
        {
            throw new ArgumentException($"{option} {text}: {OptionValue.Plain(cause)}", cause);
        }
    }
}
