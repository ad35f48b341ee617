namespace Pdp.Samples.Cifar10;

/// <summary>
/// CIFAR-10, from a folder or .tar.gz of pictures (<c>train/&lt;class&gt;/*.jpg</c>, <c>test/&lt;class&gt;/*.jpg</c>) or from the
/// official binary archive, packed or unpacked. Classes are in alphabetical order, which is the official one.
/// </summary>
internal sealed record Cifar10Data(ImageSet Train, ImageSet Test)
{
    /// <summary>The last training pictures of each class in place of the test pictures, for choosing settings.</summary>
    /// <exception cref="ArgumentException">A class has no more pictures than that.</exception>
    public Cifar10Data HoldOut(int perClass)
    {
        var (train, held) = Train.Split(perClass);
        return new(train, held);
    }

    /// <summary>Reads the data; the contents show which of the four forms they have.</summary>
    /// <exception cref="InvalidDataException">Something is missing, damaged or of the wrong size.</exception>
    public static Cifar10Data Load(string path)
    {
        var files = Directory.Exists(path) ? DataFolder.Read(path)
            : File.Exists(path) ? DataArchive.Read(path)
            : throw new FileNotFoundException($"There is no folder or archive '{path}'. {Cifar10Download.Hint}", path);
        return BinaryBatches.Recognise(files) ? BinaryBatches.Read(files, path) : PictureFiles.Read(files, path);
    }
}
