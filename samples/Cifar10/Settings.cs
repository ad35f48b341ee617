namespace Pdp.Samples.Cifar10;

/// <summary>What a run can be told; each property is an option of the same name (<c>WeightDecay</c>: <c>--weight-decay</c>).</summary>
internal sealed record Settings : PruningSettings
{
    [Option(
        "A folder or .tar.gz of pictures, or the official binary archive, packed or unpacked.",
        Section = "What to run", Value = "FOLDER|FILE", Default = "none; must be given, or --download")]
    public string? Data { get; init; }

    [Option("Fetches the official archive first, unless it is there already.")]
    public bool Download { get; init; }

    [Option("Where downloads go.", Value = "FOLDER", Default = "~/.cache/pdp")]
    public string? DownloadTo { get; init; }

    [Option("Weights to start from (safetensors).", Value = "FILE", Default = "fresh ones")]
    public string? Weights { get; init; }

    [Option("The record of a shrunk network (shrink.json), whose weights are to be started from.", Value = "FILE")]
    public string? ShrinkRecord { get; init; }

    [Option(
        "dense, pdp, gmp, str, optg, acdc, granet, dnw, mvp, pofa, lnm, or for channels nisp, scp, dcp.",
        Section = "Method", Value = "NAME")]
    public string Method { get; init => field = Known("method", value, Methods.Names); } = Methods.Dense;

    [Option(
        "How the sparsity is divided among the layers: global (one order of magnitudes), erk (Erdős–Rényi kernel) or uniform.",
        Value = "NAME")]
    public string Allocation { get; init => field = Known("allocation", value, Pruning.Allocations); } = "global";

    [Option("Of STR, where the logits of its thresholds start.", Value = "LOGIT", Range = "[-1000, 1000]")]
    public double StrStart { get; init; } = -5;

    [Option(
        "Of STR, the decay of the logits of its thresholds, which with --str-start steers how much is removed.",
        Value = "DECAY", Range = "[0, ∞)")]
    public double StrDecay { get; init; } = 5e-4;

    [Option("Weights of a trained network whose answers are half of what is learned.", Value = "FILE", Default = "no teacher")]
    public string? Teacher { get; init; }

    [Option("Length of the run; 0 for measuring alone.", Section = "Training", Value = "COUNT", Range = "[0, ∞)")]
    public override int Epochs { get; init; } = 8;

    [Option(
        "Tests the network every so many epochs; 0 for in the end alone, and then not in every form.",
        Value = "EPOCHS", Range = "[0, ∞)")]
    public int TestEvery { get; init; } = 1;

    [Option("Pictures of a step.", Value = "PICTURES", Range = "[2, ∞)")]
    public int Batch { get; init; } = 128;

    [Option("Highest learning rate.", Value = "RATE", Range = "[0, ∞)")]
    public double Lr { get; init; } = 0.05;

    [Option("Decay of the weights.", Value = "DECAY", Range = "[0, ∞)")]
    public double WeightDecay { get; init; } = 5e-4;

    [Option("Momentum of the optimizer.", Value = OptionAttribute.Fraction, Range = "[0, 1)")]
    public double Momentum { get; init; } = 0.9;

    [Option("Takes Nesterov's steps.")]
    public bool Nesterov { get; init; } = true;

    [Option("Decides the first weights, the order of the pictures, crops and flips.")]
    public int Seed { get; init; }

    [Option("Threads of the arithmetic.", Value = "THREADS", Range = "[1, ∞)")]
    public int Threads { get; init; } = 1;

    [Option("Where metrics, report, weights and checkpoint go.", Section = "Results", Value = "FOLDER", Default = "nowhere")]
    public string? Out { get; init; }

    [Option("Goes on from the checkpoint in --out; dense and pdp can.")]
    public bool Resume { get; init; }

    [Option(
        "Training pictures per class, for a quick try.",
        Section = "For a quick try", Value = "PICTURES", Range = "[1, ∞)", Default = "all")]
    public int? Limit { get; init; }

    /// <summary>The settings that decide a run's numbers; a checkpoint is continued only under the same ones.</summary>
    public string Fingerprint() => (Teacher is null ? "" : "taught ") + string.Join(' ', Deciding().Select(pair => $"{pair.Key} {pair.Value}"));

    /// <summary>The same, by option.</summary>
    public IReadOnlyDictionary<string, string> Deciding() => CommandLine.Pairs(
        this,
        nameof(Data), nameof(Download), nameof(DownloadTo), nameof(Weights), nameof(ShrinkRecord), nameof(Teacher), nameof(Threads), nameof(Out), nameof(Resume));

    private static string Known(string what, string value, IReadOnlyCollection<string> names) =>
        names.Contains(value) ? value : throw new ArgumentException(CommandLine.Unknown(what, value, names));
}
