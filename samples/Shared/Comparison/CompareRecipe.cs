using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pdp.Samples.Comparison;

/// <summary>What is compared: columns (targets) × methods × seeds, under common options of single runs.</summary>
internal sealed record CompareRecipe
{
    private static readonly JsonSerializerOptions Strict = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.KebabCaseLower,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        AllowDuplicateProperties = false,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
    };

    /// <summary>Options of every run, such as epochs.</summary>
    public Dictionary<string, JsonElement> Options { get; init; } = [];

    /// <summary>Whether runs start from fresh weights rather than from given ones.</summary>
    public bool FromScratch { get; init; }

    /// <summary>The seeds.</summary>
    public required IReadOnlyList<int> Seeds { get; init; }

    /// <summary>The columns by name, and their options, such as sparsity.</summary>
    public required OrderedDictionary<string, Dictionary<string, JsonElement>> Columns { get; init; }

    /// <summary>The rows by name.</summary>
    public required OrderedDictionary<string, MethodRecipe> Methods { get; init; }

    /// <summary>The recipes beside the program.</summary>
    private static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "comparisons");

    /// <summary>The names of the recipes beside the program.</summary>
    public static IEnumerable<string> Names =>
        Directory.EnumerateFiles(Folder, "*.json").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal);

    /// <summary>Reads a recipe.</summary>
    /// <param name="name">A file, or the name of one beside the program.</param>
    /// <param name="sample">The sample whose runs it is for.</param>
    /// <exception cref="ArgumentException">There is no such recipe, or it names something unknown.</exception>
    public static CompareRecipe Read(string name, IComparedSample sample)
    {
        var path = File.Exists(name) ? name : Path.Combine(Folder, name + ".json");
        if (!File.Exists(path))
        {
            var near = NearName.Of(name, Names) is { } meant ? $"; did you mean --recipe {meant}?" : ".";
            throw new ArgumentException(
                $"There is no recipe '{name}'{near} "
                    + $"A recipe is a file of your own, or one that comes with the program: {string.Join(", ", Names)}.");
        }

        try
        {
            return Parse(File.ReadAllText(path), sample);
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            // InvalidOperationException is what JsonElement throws for text that is not Unicode.
            throw new ArgumentException($"The recipe '{path}' can't be used. {e.Message}", e);
        }
    }

    /// <summary>Reads a recipe's text, and tries each of its runs' options once.</summary>
    /// <exception cref="ArgumentException">It names something unknown, or a value is wrong.</exception>
    public static CompareRecipe Parse(string json, IComparedSample sample)
    {
        using var document = JsonDocument.Parse(
            json, new JsonDocumentOptions
            {
                CommentHandling = JsonCommentHandling.Skip,
                AllowTrailingCommas = true,
                AllowDuplicateProperties = false
            });
        RecipeKeys.Require(document.RootElement);
        var recipe = document.Deserialize<CompareRecipe>(Strict) ?? throw new ArgumentException("It is the JSON null.");
        foreach (var (name, method) in recipe.Methods)
        {
            RecipeKeys.RequireKnown(method.Method ?? name, sample.Methods, "method");
            foreach (var column in (method.Columns ?? []).Concat(method.In.Keys))
            {
                RecipeKeys.RequireKnown(column, recipe.Columns.Keys, "column");
            }

            foreach (var seed in method.Seeds ?? [])
            {
                RecipeKeys.RequireKnown($"{seed}", [.. recipe.Seeds.Select(known => $"{known}")], "seed");
            }
        }

        if (recipe.Columns.ContainsKey(Cell.DenseColumn))
        {
            throw new ArgumentException("The dense runs have a column of that name: give yours another one.");
        }

        recipe.RequireSomething();
        RequireApart([.. recipe.Cells()]);
        foreach (var cell in recipe.Cells())
        {
            RequireOptions(cell, sample);
            recipe.RequireAllocating(cell);
        }

        return recipe;
    }

    /// <summary>All runs: the dense ones first, then seed by seed.</summary>
    public IEnumerable<Cell> Cells()
    {
        var dense = Seeds.Select(seed => CellOf(Cell.DenseColumn, [], Cell.DenseMethod, new MethodRecipe(), seed));
        return dense.Concat(
            from seed in Seeds
            from column in Columns
            from method in Methods
            where method.Value.Columns?.Contains(column.Key) != false && method.Value.Seeds?.Contains(seed) != false
            select CellOf(column.Key, column.Value, method.Key, method.Value, seed));
    }

    private void RequireSomething()
    {
        foreach (var (name, count) in new[] { ("seeds", Seeds.Count), ("columns", Columns.Count), ("methods", Methods.Count) })
        {
            if (count == 0)
            {
                throw new ArgumentException($"It has no {name}.");
            }
        }

        if (Seeds.GroupBy(seed => seed).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new ArgumentException($"The seed {twice.Key} is there more than once.");
        }

        foreach (var column in Columns.Keys)
        {
            if (Cells().All(cell => cell.Column != column))
            {
                throw new ArgumentException($"No method runs in column '{column}'.");
            }
        }
    }

    /// <summary>Names the cell whose options are wrong, or are given by the comparison itself.</summary>
    private static void RequireOptions(Cell cell, IComparedSample sample)
    {
        var place = $"In column '{cell.Column}', row '{cell.Row}': ";
        if (cell.Options.Keys.FirstOrDefault(sample.OwnOptions.Contains) is { } own)
        {
            throw new ArgumentException($"{place}--{own} is given by the comparison, not by a recipe's options.");
        }

        try
        {
            _ = sample.Settings(cell.Arguments);
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException(place + e.Message, e);
        }
    }

    /// <summary>The row that gives another one its sparsities must run in the same column, and not take them from a third.</summary>
    private void RequireAllocating(Cell cell)
    {
        if (cell.AllocatedBy is not { } row)
        {
            return;
        }

        RecipeKeys.RequireKnown(row, Methods.Keys, "row");
        if (Cells().FirstOrDefault(other => other.Name == cell.AllocatingName) is not { AllocatedBy: null })
        {
            throw new ArgumentException(
                $"In column '{cell.Column}', row '{cell.Row}' takes the sparsities of '{row}', which has none of its own there.");
        }
    }

    private static void RequireApart(Cell[] cells)
    {
        if (cells.GroupBy(cell => cell.Name).FirstOrDefault(group => group.Count() > 1) is { } same)
        {
            var (first, last) = (same.First(), same.Last());
            throw new ArgumentException(
                $"Columns or methods have names that are too much alike: '{first.Column}' and '{last.Column}', {first.Row} and {last.Row} "
                + $"would share the folder {same.Key}.");
        }
    }

    private Cell CellOf(string column, Dictionary<string, JsonElement> asked, string row, MethodRecipe recipe, int seed)
    {
        // Later ones win.
        var options = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in Options.Concat(asked).Concat(recipe.Options).Concat(recipe.In.GetValueOrDefault(column) ?? []))
        {
            options[key] = value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
        }

        return new Cell(column, row, recipe.Method ?? row, seed, options);
    }
}
