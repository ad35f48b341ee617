namespace Pdp.Samples.ImageNet.Data;

/// <summary>
/// The pictures of <c>&lt;class&gt;/*</c> in a folder, classes and files in the ordinal order of their names, as torchvision's
/// ImageFolder has them. Only names are looked at; what a file holds is seen when it is read.
/// </summary>
internal sealed class ImageFolder
{
    private static readonly string[] Extensions = [".bmp", ".jpeg", ".jpg", ".png", ".webp"];

    private readonly string _path;
    private readonly (string Name, int Class)[] _files;

    private ImageFolder(string path, string[] classes, (string Name, int Class)[] files)
    {
        _path = path;
        Classes = classes;
        _files = files;
    }

    /// <summary>The names of the classes; a class's number is its place here.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>The pictures.</summary>
    public int Count => _files.Length;

    /// <summary>The class of a picture.</summary>
    public int ClassOf(int index) => _files[index].Class;

    /// <summary>Where a picture lies.</summary>
    public string PathOf(int index) => Path.Join(_path, Classes[_files[index].Class], _files[index].Name);

    /// <summary>Lists a folder of class folders.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="limit">The most pictures of each class, the first by name.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">There are no classes, pictures outside of them, or something else inside.</exception>
    public static ImageFolder Open(string path, int? limit = null)
    {
        if (limit is { } most)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(most, 1, nameof(limit));
        }

        if (!Directory.Exists(path))
        {
            throw new DirectoryNotFoundException(
                $"There is no folder '{path}'. Give with --data the folder that holds train/<class>/* and val/<class>/*.");
        }

        var classes = ClassesIn(path);
        var files = classes.SelectMany((name, label) => PicturesIn(Path.Join(path, name), limit).Select(file => (file, label)));
        return new ImageFolder(path, classes, [.. files]);
    }

    private static string[] ClassesIn(string path)
    {
        var folder = new DirectoryInfo(path);
        if (folder.EnumerateFiles().FirstOrDefault(IsPicture) is { } loose)
        {
            throw new InvalidDataException(
                $"Picture '{loose.Name}' lies in '{path}' itself; move each picture into the folder of its class. "
                + "ImageNet's validation pictures come without such folders; its development kit says which class each is of.");
        }

        string[] classes = [.. folder.EnumerateDirectories().Select(directory => directory.Name).Order(StringComparer.Ordinal)];
        return classes.Length > 0
            ? classes
            : throw new InvalidDataException($"There are no class folders in '{path}'; unpack the pictures to '{path}/<class>/*'.");
    }

    private static IEnumerable<string> PicturesIn(string path, int? limit)
    {
        var entries = new DirectoryInfo(path).EnumerateFileSystemInfos().ToArray();
        if (entries.FirstOrDefault(entry => !IsPicture(entry)) is { } other)
        {
            throw new InvalidDataException(
                $"'{other.Name}' in '{path}' is not a picture ({string.Join(", ", Extensions)}); remove it or convert it.");
        }

        return entries.Length > 0
            ? entries.Select(entry => entry.Name).Order(StringComparer.Ordinal).Take(limit ?? int.MaxValue)
            : throw new InvalidDataException(
                $"Class folder '{path}' is empty; unpack its pictures, or remove it from both 'train' and 'val'.");
    }

    private static bool IsPicture(FileSystemInfo entry) =>
        entry is FileInfo && Extensions.Contains(entry.Extension, StringComparer.OrdinalIgnoreCase);
}
