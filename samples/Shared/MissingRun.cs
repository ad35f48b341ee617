namespace Pdp.Samples;

/// <summary>What <c>--resume</c> says where there is no run to resume: where it looked, and the folder that may be meant.</summary>
internal static class MissingRun
{
    /// <summary>The error for a folder in which nothing was found.</summary>
    /// <param name="folder">The folder of <c>--out</c>.</param>
    /// <param name="file">The checkpoint that would be in it.</param>
    /// <param name="isRun">Whether a folder holds a run that can be resumed.</param>
    public static ArgumentException In(string folder, string file, Func<string, bool> isRun)
    {
        var plain = Path.TrimEndingDirectorySeparator(folder);
        var near = NearName.Of(plain, Nearby(plain).Where(isRun));
        return new ArgumentException(
            $"--resume found no {file} in '{plain}'{(near is null ? "." : $"; did you mean --out {near}?")} "
                + "To start over, leave out --resume.");
    }

    // The folders beside, above and within, and those of the same name in a folder beside that above.
    private static IEnumerable<string> Nearby(string folder)
    {
        var (above, name) = (Path.GetDirectoryName(folder) ?? "", Path.GetFileName(folder));
        var beside = Within(above);
        var further = above.Length == 0 ? [] : Within(Path.GetDirectoryName(above) ?? "").Select(other => Path.Join(other, name));
        return [.. beside, .. Within(folder), .. further, above];
    }

    private static IEnumerable<string> Within(string folder)
    {
        var place = folder.Length == 0 ? "." : folder;
        return Directory.Exists(place)
            ? Directory.EnumerateDirectories(place, "*", new EnumerationOptions()).Select(path => Path.Join(folder, Path.GetFileName(path)))
            : [];
    }
}
