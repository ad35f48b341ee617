using System.Text.Json;

namespace Pdp.Samples.Comparison;

/// <summary>Checks what the serializer does not check in a recipe's text, or reports less clearly.</summary>
internal static class RecipeKeys
{
    /// <exception cref="ArgumentException">It is not an object, has a key that is not known, or a null.</exception>
    public static void Require(JsonElement root)
    {
        RequireKeys(root);
        RequireNoNulls(root, "$");
    }

    /// <exception cref="ArgumentException">The name is not known; the message says which one may be meant.</exception>
    public static void RequireKnown(string name, IReadOnlyCollection<string> known, string what)
    {
        if (!known.Contains(name))
        {
            throw new ArgumentException(CommandLine.Unknown(what, name, known));
        }
    }

    private static void RequireKeys(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new ArgumentException("It is not a JSON object.");
        }

        string[] known = ["from-scratch", "options", "seeds", "columns", "methods"];
        foreach (var property in root.EnumerateObject())
        {
            RequireKnown(property.Name, known, "key");
        }

        string[] ofMethods = ["method", "columns", "seeds", "options", "in"];
        if (root.TryGetProperty("methods", out var methods) && methods.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in methods.EnumerateObject().Where(method => method.Value.ValueKind == JsonValueKind.Object)
                .SelectMany(method => method.Value.EnumerateObject()))
            {
                RequireKnown(property.Name, ofMethods, "key of a method");
            }
        }
    }

    // Nulls among the values of dictionaries.
    private static void RequireNoNulls(JsonElement element, string path)
    {
        if (element.ValueKind == JsonValueKind.Null)
        {
            throw new ArgumentException($"{path} is null; leave it out.");
        }

        if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in element.EnumerateObject())
            {
                RequireNoNulls(property.Value, $"{path}.{property.Name}");
            }
        }
    }
}
