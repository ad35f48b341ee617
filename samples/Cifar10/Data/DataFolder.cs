namespace Pdp.Samples.Cifar10;

/// <summary>Lists the files of a folder; they are read when they are needed.</summary>
internal static class DataFolder
{
    // The files lie at most at this depth: name/train/class/picture. Links are followed, and some lead in circles.
    private static readonly EnumerationOptions Shallow = new()
    {
        RecurseSubdirectories = true,
        MaxRecursionDepth = 3,
        AttributesToSkip = 0,
        IgnoreInaccessible = false,
    };

    /// <exception cref="InvalidDataException">What it holds is not CIFAR-10.</exception>
    public static List<DataFile> Read(string path)
    {
        var (files, limits) = (new List<DataFile>(), new DataLimits());
        foreach (var file in new DirectoryInfo(path).EnumerateFiles("*", Shallow).Where(file => DataLimits.IsWanted(file.Name)))
        {
            Count(limits, file, path);
            files.Add(new DataFile(Path.GetRelativePath(path, file.FullName).Replace('\\', '/'), () => File.ReadAllBytes(file.FullName)));
        }

        return files;
    }

    private static void Count(DataLimits limits, FileInfo file, string path)
    {
        try
        {
            limits.Add(file.FullName, file.Length);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"'{path}' can't be used: {e.Message}.", e);
        }
    }
}
