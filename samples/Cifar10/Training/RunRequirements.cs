namespace Pdp.Samples.Cifar10;

/// <summary>What the settings of a run must fulfil before anything is loaded or made.</summary>
internal static class RunRequirements
{
    public const string CheckpointName = "checkpoint.safetensors";

    /// <summary>Checks the settings before anything is loaded or made.</summary>
    /// <exception cref="ArgumentException">Settings don't go together, or there is nothing to resume.</exception>
    public static void Require(Settings settings)
    {
        if (settings.Method != Methods.Dense)
        {
            Pruning.RequirePossible(settings);
        }

        if (settings.Distributed)
        {
            RequireDistributable(settings);
        }

        if (settings.Resume)
        {
            RequireResumable(settings);
        }
        else
        {
            ResultsFolder.RequireFree(settings.Out, hasCheckpoint: settings.Out is { } folder && HasRun(folder));
        }
    }

    /// <summary>Whether all that a run learns is in the network's weights, for a checkpoint and for the ranks to agree on.</summary>
    public static bool IsWhole(Settings settings) => settings.Method is Methods.Dense or Methods.Pdp;

    private static void RequireResumable(Settings settings)
    {
        if (!IsWhole(settings))
        {
            throw new ArgumentException($"A run of {settings.Method} can't be resumed; dense and pdp can. Start over without --resume.");
        }

        var folder = settings.Out ?? throw new ArgumentException("--resume needs --out, the folder of the run to continue.");
        if (!HasRun(folder))
        {
            throw MissingRun.In(folder, CheckpointName, HasRun);
        }
    }

    private static bool HasRun(string folder) => File.Exists(Path.Join(folder, CheckpointName));

    private static void RequireDistributable(Settings settings)
    {
        Ranks.RequireCommonMasks(settings.Importance);
        if (!IsWhole(settings))
        {
            throw new ArgumentException($"A run of {settings.Method} can't be distributed; dense and pdp can.");
        }

        if (settings.Download)
        {
            throw new ArgumentException("Ranks would all download: give --download to a run without --distributed first.");
        }
    }
}
