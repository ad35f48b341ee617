using Pdp.Training;

namespace Pdp.Samples.ImageNet.Training;

/// <summary>Where the checkpoints of a run are. A run that exists already is continued, never overwritten.</summary>
internal static class RunFolder
{
    private const string Name = "checkpoints";

    /// <summary>The folder of a run's checkpoints; null where none are kept.</summary>
    /// <exception cref="ArgumentException">There is nothing to resume, or a run that isn't to be resumed; nothing has been made
    /// then.</exception>
    public static CheckpointFolder? Checkpoints(Settings settings)
    {
        if (settings.Out is not { } run)
        {
            return settings.Resume ? throw new ArgumentException("--resume needs --out, the folder of the run to continue.") : null;
        }

        if (!settings.Resume)
        {
            ResultsFolder.RequireFree(run, HasRun(run));
        }
        else if (!HasRun(run))
        {
            throw MissingRun.In(run, Path.Join(Name, "step-*.safetensors"), HasRun);
        }

        return Of(run, settings.KeepLast);
    }

    private static bool HasRun(string run) => Of(run).List().Count > 0;

    private static CheckpointFolder Of(string run, int keepLast = 1) => new(Path.Join(run, Name), keepLast);
}
