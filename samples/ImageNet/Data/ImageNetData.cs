namespace Pdp.Samples.ImageNet.Data;

/// <summary>The training and the validation pictures of one folder, which have the same classes.</summary>
internal sealed record ImageNetData(ImageFolder Train, ImageFolder Validation)
{
    /// <summary>Lists <c>train/&lt;class&gt;/*</c> and <c>val/&lt;class&gt;/*</c>.</summary>
    /// <param name="path">The folder that holds both.</param>
    /// <param name="limit">The most pictures of each class, the first by name, for a quick try.</param>
    /// <exception cref="DirectoryNotFoundException">The folder, or one of the two in it, is missing.</exception>
    /// <exception cref="InvalidDataException">It holds other things than pictures in class folders, or the two differ in
    /// classes.</exception>
    public static ImageNetData Open(string path, int? limit = null)
    {
        var data = new ImageNetData(
            ImageFolder.Open(Path.Combine(path, "train"), limit),
            ImageFolder.Open(Path.Combine(path, "val"), limit));
        data.CheckClasses(path);
        return data;
    }

    private void CheckClasses(string path)
    {
        var onlyTrain = Train.Classes.Except(Validation.Classes).ToArray();
        var onlyValidation = Validation.Classes.Except(Train.Classes).ToArray();
        if (onlyTrain.Length + onlyValidation.Length > 0)
        {
            throw new InvalidDataException(
                $"The classes of 'train' and 'val' in '{path}' differ: only 'train' has {List(onlyTrain)}, "
                + $"only 'val' has {List(onlyValidation)}. Add the missing folders or remove the others.");
        }
    }

    private static string List(string[] names) => names.Length switch
    {
        0 => "none",
        <= 5 => string.Join(", ", names),
        _ => $"{string.Join(", ", names[..5])} and {names.Length - 5} more",
    };
}
