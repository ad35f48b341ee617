using Pdp.Training;

namespace Pdp.Samples.ImageNet.Training;

/// <summary>The checkpoints of a run: the last few, and a copy of the best. Each is whole or not there at all.</summary>
internal sealed class CheckpointFolder
{
    private const string Name = "checkpoints";
    private const string Pattern = "step-*.safetensors";
    private readonly string _folder;
    private readonly int _keepLast;

    /// <summary>Opens the folder, which is made when there is something to keep.</summary>
    /// <param name="folder">Its path.</param>
    /// <param name="keepLast">The checkpoints to keep besides the best.</param>
    public CheckpointFolder(string folder, int keepLast)
    {
        _folder = folder;
        _keepLast = keepLast;
        foreach (var torn in Files("*.part"))
        {
            // What a killed process was writing.
            File.Delete(torn);
        }
    }

    /// <summary>
    /// The folder of a run's checkpoints; null where none are kept. A run that exists already is continued, never overwritten.
    /// </summary>
    /// <exception cref="ArgumentException">There is nothing to resume, or a run that isn't to be resumed; nothing has been made
    /// then.</exception>
    public static CheckpointFolder? Of(Settings settings)
    {
        if (settings.Out is not { } run)
        {
            return settings.Resume ? throw new ArgumentException("--resume needs --out, the folder of the run to continue.") : null;
        }

        return (settings.Resume, HasRun(run)) switch
        {
            (true, false) => throw MissingRun.In(run, Path.Join(Name, Pattern), HasRun),
            (false, true) => throw new ArgumentException($"'{run}' already holds a run: give --resume to continue it, or another --out."),
            _ => new CheckpointFolder(Path.Combine(run, Name), settings.KeepLast),
        };
    }

    /// <summary>The checkpoint with the best network.</summary>
    public string Best => Path.Combine(_folder, "best.safetensors");

    /// <summary>The newest checkpoint; null if there is none.</summary>
    public string? Latest => All().LastOrDefault();

    /// <summary>Writes a checkpoint, and only then lets the oldest go.</summary>
    /// <param name="step">The steps of the whole run so far.</param>
    /// <param name="write">Writes the file of a path atomically.</param>
    /// <param name="isBest">Whether to copy it as the best.</param>
    /// <exception cref="IOException">It could not be written; all that were there before still are.</exception>
    public void Keep(long step, Action<string> write, bool isBest)
    {
        Directory.CreateDirectory(_folder);

        // As many digits as any run has steps, so that names sort as numbers do.
        var path = Path.Combine(_folder, FormattableString.Invariant($"step-{step:D10}.safetensors"));
        write(path);
        if (isBest)
        {
            Copy(path, Best);
        }

        foreach (var old in All().SkipLast(_keepLast))
        {
            File.Delete(old);
        }
    }

    private static void Copy(string from, string to) => AtomicFile.Write(to, stream =>
    {
        using var source = File.OpenRead(from);
        source.CopyTo(stream);
    });

    private static bool HasRun(string run) =>
        Path.Join(run, Name) is var folder && Directory.Exists(folder) && Directory.EnumerateFiles(folder, Pattern).Any();

    private string[] All() => [.. Files(Pattern).Order(StringComparer.Ordinal)];

    private string[] Files(string pattern) => Directory.Exists(_folder) ? Directory.GetFiles(_folder, pattern) : [];
}
