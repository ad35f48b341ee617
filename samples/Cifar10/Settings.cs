namespace Pdp.Samples.Cifar10;

/// <summary>The settings of a run; each property is an option of the same name (<c>WeightDecay</c>: <c>--weight-decay</c>).</summary>
internal sealed record Settings : PruningSettings
{
    [Option(
        "A folder or .tar.gz of pictures, or the official binary archive, packed or unpacked.",
        Section = "What to run", Value = "FOLDER|FILE", Default = "none; must be given, or --download")]
    public string? Data { get; init; }

    [Option("Downloads the official archive first, unless it is there already.")]
    public bool Download { get; init; }

    [Option("Where downloads go.", Value = "FOLDER", Default = "~/.cache/pdp")]
    public string? DownloadTo { get; init; }

    [Option("Weights to start from (safetensors).", Value = "FILE", Default = "fresh ones")]
    public string? Weights { get; init; }

    [Option(NetworkOption.WidthText, Value = "CHANNELS", Range = "[2, 256]")]
    public int Width { get; init => field = NetworkOption.Width(value); } = ResNet20.UsualWidth;

    [Option(NetworkOption.SideText, Value = "PIXELS", Range = "[4, 32]")]
    public int Side { get; init => field = NetworkOption.Side(value); } = ImageSet.Side;

    [Option("The record of a shrunk network (shrink.json), for loading its weights.", Value = "FILE")]
    public string? ShrinkRecord { get; init; }

    [Option(
        "dense, pdp, gmp, str, optg, acdc, granet, dnw, mvp, pofa, lnm, or for channels nisp, scp, dcp, dcp-score.",
        Section = "Method", Value = "NAME")]
    public string Method { get; init => field = Known("method", value, Methods.Names); } = Methods.Dense;

    [Option("STR: initial logit of its thresholds.", Value = "LOGIT", Range = "(-∞, ∞)")]
    public double StrStart { get; init; } = -5;

    [Option(
        "STR: decay of the logits of its thresholds, which together with --str-start controls how much is removed.",
        Value = "DECAY", Range = "[0, ∞)")]
    public double StrDecay { get; init; } = 5e-4;

    [Option(
        "DCP: steps of fine-tuning before the channels of each stage are chosen.",
        Value = "STEPS", Range = "[1, ∞)", Default = "100")]
    public int? DcpSteps { get; init; }

    [Option("DCP: updates of the chosen channels after each choice.", Value = "STEPS", Range = "[0, ∞)", Default = "4")]
    public int? DcpUpdates { get; init; }

    [Option("Weights of a trained teacher network, whose answers make up half of the loss.", Value = "FILE", Default = "no teacher")]
    public string? Teacher { get; init; }

    [Option("Length of the run; 0 only measures.", Section = "Training", Value = "COUNT", Range = "[0, ∞)")]
    public override int Epochs { get; init; } = 8;

    [Option(
        "Epochs from one test of the network to the next; 0 to test only at the end, and then not in every form.",
        Value = "EPOCHS", Range = "[0, ∞)")]
    public int TestEvery { get; init; } = 1;

    [Option("Pictures in a step.", Value = "PICTURES", Range = "[2, ∞)")]
    public int Batch { get; init; } = 128;

    [Option("Peak learning rate.", Value = "RATE", Range = "[0, ∞)")]
    public double Lr { get; init; } = 0.05;

    [Option("Decay of the weights.", Value = "DECAY", Range = "[0, ∞)")]
    public double WeightDecay { get; init; } = 5e-4;

    [Option("Momentum of the optimizer.", Value = OptionAttribute.Fraction, Range = "[0, 1)")]
    public double Momentum { get; init; } = 0.9;

    [Option("Uses Nesterov momentum.")]
    public bool Nesterov { get; init; } = true;

    [Option(
        "Batches of training pictures from which batch norms are estimated anew, once the zeros are final.",
        Value = "BATCHES", Range = "[0, ∞)", Default = "none")]
    public int? Reestimate { get; init; }

    [Option("Trains on the ranks that mpirun has started; each has an equal share of every batch.")]
    public bool Distributed { get; init; }

    [Option(
        "Steps from one check that all ranks have the same weights and masks to the next; 0 for none.",
        Value = "STEPS", Range = "[0, ∞)")]
    public int AgreementSteps { get; init; } = 100;

    [Option("Seed of the initial weights, the order of the pictures, crops and flips.")]
    public int Seed { get; init; }

    [Option(DeviceOption.Text, Value = "DEVICE", Default = DeviceOption.DefaultOfRanks)]
    public string? Device { get; init => field = DeviceOption.Checked(value); }

    [Option("Threads for the arithmetic on the CPU.", Value = "THREADS", Range = "[1, 1024]")]
    public int Threads { get; init; } = 1;

    [Option("Where metrics, report, weights and checkpoint go.", Section = "Results", Value = "FOLDER", Default = "nowhere")]
    public string? Out { get; init; }

    [Option("Measures the length of a file and the time for one picture at the end: dense, shrunk and packed.")]
    public bool Deploy { get; init; } = true;

    [Option("Continues from the checkpoint in --out; dense and pdp can.")]
    public bool Resume { get; init; }

    [Option(
        "Training pictures per class that are held out and take the place of the test pictures, for choosing settings.",
        Section = "Evaluation", Value = "PICTURES", Range = "[1, ∞)", Default = "none")]
    public int? HoldOut { get; init; }

    [Option(
        "Training pictures per class, for a quick try.",
        Section = "For a quick try", Value = "PICTURES", Range = "[1, ∞)", Default = "all")]
    public int? Limit { get; init; }

    /// <summary>The settings that decide a run's numbers; a checkpoint is continued only under the same ones.</summary>
    public string Fingerprint() =>
        (Teacher is null ? "" : "taught ") + string.Join(' ', Deciding().Select(pair => $"{pair.Key} {pair.Value}"));

    /// <summary>The same, by option; of an allocation from a report, not the place of the report.</summary>
    public IReadOnlyDictionary<string, string> Deciding() => CommandLine.Pairs(
        AllocationOption.IsFromReport(Allocation) ? this with { Allocation = $"{AllocationOption.From}report" } : this,
        nameof(Data), nameof(Download), nameof(DownloadTo), nameof(Weights), nameof(ShrinkRecord), nameof(Teacher), nameof(Device),
        nameof(Threads), nameof(Out), nameof(Deploy), nameof(Resume), nameof(Distributed), nameof(AgreementSteps));

    /// <summary>The settings that must be the same on all ranks: all but what follows from each machine.</summary>
    public IReadOnlyDictionary<string, string> Common() => CommandLine.Pairs(this, nameof(Device), nameof(Threads));

    private static string Known(string what, string value, IReadOnlyCollection<string> names) =>
        names.Contains(value) ? value : throw new ArgumentException(CommandLine.Unknown(what, value, names));
}
