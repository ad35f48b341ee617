using System.Globalization;
using System.Reflection;
using System.Text;

namespace Pdp.Samples;

/// <summary>What <c>--help</c> shows of a program, or of one of its verbs, for terminals of 100 columns.</summary>
internal sealed record Help
{
    private const int Width = 100;
    private const int Indent = 32;

    /// <summary>How the program is called, up to its options.</summary>
    public required string Usage { get; init; }

    /// <summary>What it does.</summary>
    public required string Text { get; init; }

    /// <summary>The other things that the program does, and what they are.</summary>
    public IReadOnlyList<(string Name, string Text)> Verbs { get; init; } = [];

    /// <summary>Command lines that work.</summary>
    public required IReadOnlyList<string> Examples { get; init; }

    /// <summary>Whether a command line asks for help, in any form.</summary>
    public static bool IsAsked(IReadOnlyList<string> arguments) =>
        arguments.Any(argument => argument is "--help" or "-h" or "-?" or "/?") || arguments is ["help", ..]
        || (arguments is [var verb, "help", ..] && !verb.StartsWith('-'));

    /// <summary>The text, with the options that a settings record stands for.</summary>
    public string For<T>()
        where T : class, new()
    {
        var text = new StringBuilder($"Usage: {Usage} [--OPTION VALUE]...\n\n");
        AddWrapped(text, "", 0, Text);
        foreach (var (name, about) in Verbs)
        {
            AddHeading(text, name == Verbs[0].Name ? "Verbs" : null);
            AddWrapped(text, $"  {name}", Indent, about);
        }

        var defaults = new T();
        foreach (var property in CommandLine.Properties<T>())
        {
            var option = property.GetCustomAttribute<OptionAttribute>()!;
            AddHeading(text, option.Section);
            var details = Details(option, property.GetValue(defaults));
            AddWrapped(text, $"  {CommandLine.Option(property)} {ValueOf(property, option)}", Indent, $"{option.Text} ({details})");
        }

        AddHeading(text, "Examples");
        return text.AppendJoin('\n', Examples.Select(example => $"  {example}")).Append('\n').ToString();
    }

    private static void AddHeading(StringBuilder text, string? heading)
    {
        if (heading is not null)
        {
            text.Append('\n').Append(heading).Append('\n');
        }
    }

    private static string ValueOf(PropertyInfo property, OptionAttribute option) =>
        option.Value ?? (property.PropertyType == typeof(bool) ? "[true|false]" : "NUMBER");

    private static string Details(OptionAttribute option, object? value)
    {
        var standard = option.Default
            ?? (value is bool isOn ? (isOn ? "true" : "false") : Convert.ToString(value, CultureInfo.InvariantCulture));
        var range = option.Range is null ? "" : $"{Interval.Parse(option.Range)}; ";
        return range + (string.IsNullOrEmpty(standard) ? "not set by default" : $"default: {standard}");
    }

    // Words from a column on; what stands before them keeps a line of its own if it is too long.
    private static void AddWrapped(StringBuilder text, string before, int indent, string words)
    {
        var line = new StringBuilder(before);
        var isFresh = true;
        foreach (var word in words.Split(' '))
        {
            if (line.Length + 1 + word.Length > Width || (isFresh && before.Length >= indent && indent > 0))
            {
                text.Append(line).Append('\n');
                line.Clear();
                isFresh = true;
            }

            line.Append(' ', isFresh ? Math.Max(indent - line.Length, 0) : 1).Append(word);
            (isFresh, before) = (false, "");
        }

        text.Append(line).Append('\n');
    }
}
