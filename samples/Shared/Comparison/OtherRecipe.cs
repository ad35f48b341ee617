namespace Pdp.Samples.Comparison;

/// <summary>Finds what another recipe has left in a folder: continuing there would delete its results, or mix them with others.</summary>
internal static class OtherRecipe
{
    private const int Shown = 4;

    /// <exception cref="ArgumentException">
    /// There are results of other settings, of other weights, or of cells that the recipe doesn't have.
    /// </exception>
    public static void Refuse(string root, IReadOnlyList<CellFolder> folders)
    {
        string[] differences = [.. folders.Select(folder => folder.Difference()).OfType<string>(), .. Strangers(root, folders)];
        if (differences.Length > 0)
        {
            var more = differences.Length > Shown ? $"; and {differences.Length - Shown} more" : "";
            throw new ArgumentException(
                $"'{root}' holds results of another recipe: {string.Join("; ", differences.Take(Shown))}{more}. "
                + $"Give another --out, or delete the folders of these cells in '{Path.Combine(root, "cells")}'.");
        }
    }

    private static IEnumerable<string> Strangers(string root, IReadOnlyList<CellFolder> folders)
    {
        var cells = Path.Combine(root, "cells");
        var known = folders.Select(folder => folder.Cell.Name).ToHashSet(StringComparer.Ordinal);
        IEnumerable<string> paths = Directory.Exists(cells) ? Directory.EnumerateDirectories(cells) : [];
        return from path in paths.Order(StringComparer.Ordinal)
               where CellFolder.HasReport(path) && !known.Contains(Path.GetFileName(path))
               select $"{Path.GetFileName(path)} is not in this one";
    }
}
