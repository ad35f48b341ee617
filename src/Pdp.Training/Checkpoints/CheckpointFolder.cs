using System.Globalization;
using Pdp.Internal;
using Pdp.Training.Files;

namespace Pdp.Training;

/// <summary>
/// The checkpoints of a run, in a folder of its own: the last few, and the best. Each is whole, or its SHA-256 shows that it is damaged.
/// </summary>
/// <remarks>
/// Files are named <c>step-0000012345.safetensors</c>, so that names sort as steps do, and <c>best.safetensors</c>. If a process
/// is killed, every complete checkpoint is still there; what the process was writing, <c>*.part</c>, is deleted at the next
/// <see cref="Save"/>. One process at a time may write. Not thread-safe.
/// </remarks>
public sealed class CheckpointFolder
{
    private const string Extension = ".safetensors";
    private const string Prefix = "step-";
    private const long LastStep = 9_999_999_999;
    private readonly string _folder;
    private readonly int _keepLast;
    private readonly HashSet<string> _whole = new(StringComparer.Ordinal);

    /// <summary>Opens a folder, which is made when there is something to save.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="keepLast">The checkpoints to keep besides the best, in [1, ∞). A damaged one doesn't count.</param>
    /// <exception cref="ArgumentNullException"><paramref name="path"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="keepLast"/> is outside its range.</exception>
    public CheckpointFolder(string path, int keepLast = 3)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        (_folder, _keepLast) = (path, keepLast >= 1 ? keepLast : throw Guard.Outside(nameof(keepLast), keepLast, "[1, ∞)"));
    }

    /// <summary>The file of the best checkpoint, whether it exists or not.</summary>
    public string BestPath => Path.Combine(_folder, "best" + Extension);

    /// <summary>Lists the checkpoints of steps.</summary>
    /// <returns>Their files, the oldest first.</returns>
    public IReadOnlyList<string> List() => !Directory.Exists(_folder)
        ? []
        : [.. Directory.GetFiles(_folder).Where(file => StepOf(file) is not null).Order(StringComparer.Ordinal)];

    /// <summary>Writes a checkpoint, and only then deletes those beyond the number to keep, or never completed.</summary>
    /// <param name="step">The steps of the whole run so far, in [0, 9,999,999,999].</param>
    /// <param name="state">What is saved.</param>
    /// <param name="texts">Other texts to save with it, by name.</param>
    /// <param name="isBest">Whether to keep a copy as the best.</param>
    /// <returns>The checkpoint's file.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="step"/> is outside its range.</exception>
    /// <exception cref="ArgumentException">A text or a tensor can't be saved; nothing has changed then.</exception>
    /// <exception cref="InvalidOperationException">
    /// A tensor holds NaN or infinity, the averages have replaced the weights, or there is a whole checkpoint of a later step;
    /// nothing has changed then.
    /// </exception>
    /// <exception cref="IOException">
    /// It can't be written; all checkpoints that were there still are, but for the best where this one has taken its place.
    /// </exception>
    /// <exception cref="UnauthorizedAccessException">The process may not write there, or a folder has that name.</exception>
    public string Save(long step, TrainingState state, IReadOnlyDictionary<string, string> texts, bool isBest = false)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (step is < 0 or > LastStep)
        {
            throw Guard.Outside(nameof(step), step, $"[0, {LastStep}]");
        }

        var damaged = RequireLast(step);
        var path = Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{step:D10}{Extension}"));
        if (isBest)
        {
            // First: a run that goes on from a step whose texts call it the best would not write the best again.
            state.Save(BestPath, texts);
            Copy(BestPath, path);
        }
        else
        {
            state.Save(path, texts);
        }

        _whole.Add(path);
        foreach (var old in damaged.Concat(Old([.. List().Except(damaged)])).Concat(Parts()))
        {
            File.Delete(old);
        }

        return path;
    }

    /// <summary>Finds the newest checkpoint that is whole, which it reads to its end.</summary>
    /// <param name="report">Receives a line for each newer one that is damaged; null, the default, reports none.</param>
    /// <returns>Its file; null if there is no checkpoint at all.</returns>
    /// <exception cref="InvalidDataException">There are checkpoints, and all are damaged.</exception>
    public string? FindNewest(Action<string>? report = null)
    {
        var faults = new List<string>();
        foreach (var path in List().Reverse())
        {
            if (Seal.Fault(path) is not { } fault)
            {
                faults.ForEach(line => report?.Invoke(line));
                return path;
            }

            faults.Add($"'{path}' {fault}.");
        }

        return faults.Count == 0 ? null
            : throw new InvalidDataException($"No checkpoint in '{_folder}' is whole: {string.Join(" ", faults)}");
    }

    private static void Copy(string from, string to) => AtomicFile.Write(to, stream =>
    {
        using var source = File.OpenRead(from);
        source.CopyTo(stream);
    });

    private static long? StepOf(string file) =>
        Path.GetFileName(file) is var name && name.Length == Prefix.Length + 10 + Extension.Length
        && name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(Extension, StringComparison.Ordinal)
        && long.TryParse(name.AsSpan(Prefix.Length, 10), NumberStyles.None, CultureInfo.InvariantCulture, out var step)
            ? step
            : null;

    // A run that continues from before a damaged checkpoint replaces it; beside whole later ones, its own would be deleted as old.
    private string[] RequireLast(long step)
    {
        string[] later = [.. List().Where(file => StepOf(file) > step)];
        return Array.Find(later, file => Seal.Fault(file) is null) is not { } whole
            ? later
            : throw new InvalidOperationException(
                $"'{whole}' is of a later step than {step}: continue from it, or save to another folder.");
    }

    // What is older than the whole ones to keep. Of an earlier process's checkpoints only those are read that take the place of one.
    private string[] Old(string[] files)
    {
        var first = files.Length;
        for (var whole = 0; files.Length > _keepLast && first > 0 && whole < _keepLast;)
        {
            whole += IsWhole(files[--first]) ? 1 : 0;
        }

        return files.Length > _keepLast ? files[..first] : [];
    }

    private bool IsWhole(string path) => _whole.Contains(path) || (Seal.Fault(path) is null && _whole.Add(path));

    // What a killed process was writing.
    private string[] Parts() => Directory.GetFiles(_folder, "*" + Extension + ".part");
}
