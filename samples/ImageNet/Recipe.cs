using System.Text.Json;

namespace Pdp.Samples.ImageNet;

/// <summary>Settings in a file: a JSON object whose keys are the options of the command line, without their dashes in front.</summary>
internal static class Recipe
{
    private static readonly JsonDocumentOptions Lenient = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        AllowDuplicateProperties = false,
    };

    /// <summary>The recipes beside the program.</summary>
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "recipes");

    /// <summary>The names of the recipes beside the program.</summary>
    public static IEnumerable<string> Names =>
        Directory.EnumerateFiles(Folder, "*.json").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal);

    /// <summary>
    /// The settings of a command line, over those of the recipe that it names. If the run is longer or shorter than the
    /// recipe's, the recipe's times are scaled with it.
    /// </summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="report">Called with a line that says which times were scaled.</param>
    /// <exception cref="ArgumentException">A name is unknown or a value is wrong, on the command line or in the recipe.</exception>
    public static Settings Parse(IReadOnlyList<string> arguments, Action<string>? report = null)
    {
        var given = CommandLine.Parse<Settings>(arguments);
        if (given.Recipe is null)
        {
            return given;
        }

        var recipe = Read(Find(given.Recipe));
        var (own, epochs) = (CommandLine.Parse<Settings>(recipe).Epochs, CommandLine.Parse<Settings>(arguments, recipe).Epochs);
        if (own == epochs)
        {
            return CommandLine.Parse<Settings>(arguments, recipe);
        }

        var scaled = RecipeTimes.Scaled(recipe, own, epochs);
        var times = RecipeTimes.Of(scaled).Where(pair => !arguments.Contains(pair[0])).Select(pair => string.Join(' ', pair)).ToArray();
        report?.Invoke($"The recipe is for {own} epochs. "
            + $"For {epochs} its times are {(times.Length == 0 ? "those given" : string.Join(' ', times))}.");
        return CommandLine.Parse<Settings>(arguments, scaled);
    }

    /// <exception cref="ArgumentException">There is no such recipe.</exception>
    private static string Find(string recipe)
    {
        var beside = Path.Combine(Folder, recipe + ".json");
        var near = NearName.Of(recipe, Names) is { } name ? $"; did you mean --recipe {name}?" : ".";
        return File.Exists(recipe) ? recipe
            : File.Exists(beside) ? beside
            : throw new ArgumentException(
                $"There is no recipe '{recipe}'{near} "
                    + $"A recipe is a file of your own, or one that comes with the program: {string.Join(", ", Names)}.");
    }

    /// <summary>A recipe's settings as arguments, tried once so that an error names the file.</summary>
    private static List<string> Read(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(path), Lenient);
            var arguments = Arguments(document.RootElement);
            _ = CommandLine.Parse<Settings>(arguments);
            return arguments;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            // InvalidOperationException is what JsonElement throws for text that is not Unicode.
            throw new ArgumentException($"The recipe '{path}' can't be used. {e.Message}", e);
        }
    }

    private static List<string> Arguments(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new ArgumentException("It is not a JSON object.");
        }

        var arguments = new List<string>();
        foreach (var setting in root.EnumerateObject())
        {
            arguments.AddRange([$"--{setting.Name}", Text(setting)]);
        }

        return arguments;
    }

    private static string Text(JsonProperty setting) => setting.Value.ValueKind switch
    {
        _ when setting.NameEquals("recipe") => throw new ArgumentException("A recipe can't name another one."),
        JsonValueKind.String => setting.Value.GetString()!,
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => setting.Value.GetRawText(),
        _ => throw new ArgumentException($"The setting '{setting.Name}' is neither a number, nor text, nor true or false."),
    };
}
