namespace Pdp.Samples.ImageNet.Data;

/// <summary>Counts the pictures that can't be read. Safe for several threads.</summary>
/// <param name="pictures">The pictures in all.</param>
/// <param name="report">Called once for each, with a line about it.</param>
internal sealed class DamagedPictures(int pictures, Action<string> report)
{
    private readonly HashSet<string> _paths = [];

    /// <summary>The most that are tolerated: one in a hundred, but at least one and at most ten.</summary>
    public int Most => Math.Clamp(pictures / 100, 1, 10);

    /// <summary>Records a picture.</summary>
    /// <exception cref="InvalidDataException">It is one too many.</exception>
    public void Add(string path, string fault)
    {
        lock (_paths)
        {
            if (!_paths.Add(path))
            {
                return;
            }

            if (_paths.Count > Most)
            {
                throw new InvalidDataException(
                    $"More than {Most} of {pictures} pictures can't be read; the last, '{path}', {fault}. "
                    + "Fetch the data again, or remove these files:\n"
                    + string.Join('\n', _paths.Order(StringComparer.Ordinal)));
            }

            report($"Picture '{path}' {fault}; another is taken in its place.");
        }
    }
}
