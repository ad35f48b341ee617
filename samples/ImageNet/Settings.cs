using System.Text.RegularExpressions;

namespace Pdp.Samples.ImageNet;

/// <summary>
/// The settings of a run; each property is an option of the same name (<c>WeightDecay</c>: <c>--weight-decay</c>), and a key
/// of a recipe (<c>"weight-decay"</c>).
/// </summary>
internal sealed partial record Settings : PruningSettings
{
    public Settings() => Sparsity = 0.855;

    [Option(
        "A recipe that comes with the program, or a file of your own; options override its settings.",
        Section = "What to run", Value = "NAME|FILE")]
    public string? Recipe { get; init; }

    [Option(
        "The folder that holds train/<class>/* and val/<class>/*, or synthetic:1024 for so many drawn pictures.",
        Value = "FOLDER|synthetic:COUNT", Default = "none; must be given")]
    public string? Data { get; init; }

    [Option("Pictures per class, for a quick try.", Value = "PICTURES", Range = "[1, ∞)", Default = "all")]
    public int? Limit { get; init; }

    [Option("Where metrics, checkpoints, report and weights go.", Value = "FOLDER", Default = "nowhere")]
    public string? Out { get; init; }

    [Option("Continues from the newest checkpoint in --out.")]
    public bool Resume { get; init; }

    [Option("Only measures the accuracy of weights, dense or in a sparse file, or of a checkpoint.", Value = "FILE")]
    public string? Evaluate { get; init; }

    [Option("Packs the weights of --evaluate first, so that the network runs on its nonzeros; says what each layer gains.")]
    public bool Packed { get; init; }

    [Option(DeviceOption.Text, Value = "DEVICE", Default = DeviceOption.DefaultOfRanks)]
    public string? Device { get; init => field = DeviceOption.Checked(value); }

    [Option("Threads for the arithmetic on the CPU.", Value = "THREADS", Range = "[1, ∞)", Default = "libtorch's choice")]
    public int? Threads { get; init; }

    [Option("Trains on the ranks that mpirun has started; each has an equal share of every batch.")]
    public bool Distributed { get; init; }

    [Option(
        "Steps from one check that all ranks have the same weights and masks to the next; 0 for none.",
        Value = "STEPS", Range = "[0, ∞)")]
    public int AgreementSteps { get; init; } = 100;

    [Option("Seed of the initial weights, the order of the pictures, crops and flips.")]
    public int Seed { get; init; }

    [Option("resnet18, resnet50, mobilenet-v1 or mobilenet-v2.", Section = "Network", Value = "NAME")]
    public string Model { get; init => field = Networks.Known(value); } = "resnet18";

    [Option("Classes that the network distinguishes.", Value = "CLASSES", Range = "[2, ∞)")]
    public int Classes { get; init; } = 1000;

    [Option("Initializes each block of a ResNet as its shortcut.")]
    public bool ZeroInitialResidual { get; init; }

    [Option("Weights to start from (safetensors).", Value = "FILE", Default = "fresh ones")]
    public string? Weights { get; init; }

    [Option("The record of a shrunk network (shrink.json), for loading its weights.", Value = "FILE")]
    public string? ShrinkRecord { get; init; }

    [Option("Length of the run; a recipe's times are scaled with it.", Section = "Training", Value = "COUNT", Range = "[1, ∞)")]
    public override int Epochs { get; init; } = 100;

    [Option("Pictures in a step.", Value = "PICTURES", Range = "[2, ∞)")]
    public int Batch { get; init; } = 256;

    [Option(
        "Equal parts in which a step's pictures go through the network, where they don't fit into memory at once.",
        Value = "PARTS", Range = "[1, ∞)")]
    public int Accumulate { get; init; } = 1;

    /// <summary>The pictures of a part.</summary>
    /// <exception cref="ArgumentException">The batch can't be divided so.</exception>
    public int Part => Batch % Accumulate != 0
        ? throw new ArgumentException(
            $"A batch of {Batch} pictures can't be divided into {Accumulate} equal parts: --batch must be a multiple of --accumulate.")
        : Batch == Accumulate
        ? throw new ArgumentException(
            $"A part of one picture is too small for batch-norm: --batch {Batch} must be at least twice --accumulate {Accumulate}.")
        : Batch / Accumulate;

    /// <summary>The pictures of a part that each of some ranks has.</summary>
    /// <exception cref="ArgumentException">The batch can't be divided so.</exception>
    public int PartOn(int ranks) => Part % ranks != 0
        ? throw new ArgumentException(
            $"{Part} pictures can't be divided among {ranks} ranks: --batch must be a multiple of --accumulate times the number of ranks.")
        : Part == ranks
        ? throw new ArgumentException(
            $"A share of one picture is too small for batch-norm: give {ranks} ranks a --batch of at least {2 * ranks * Accumulate}.")
        : Part / ranks;

    [Option("Height and width of the pictures.", Value = "PIXELS", Range = "[32, ∞)")]
    public int Side { get; init; } = 224;

    [Option("Threads that read pictures.", Value = "THREADS", Range = "[1, ∞)", Default = "one for each core")]
    public int? Workers { get; init; }

    [Option("Peak learning rate.", Value = "RATE", Range = "[0, ∞)")]
    public double Lr { get; init; } = 0.1;

    [Option(
        "Epochs in which the learning rate rises to its peak.",
        Value = OptionAttribute.Epochs, Range = "[0, ∞)", Default = "a twentieth of the run")]
    public double? LrWarmup { get; init; }

    /// <summary>The epochs of the warm-up.</summary>
    /// <exception cref="ArgumentException">They are more than the run has.</exception>
    public double WarmupEpochs => (LrWarmup ?? Epochs / 20.0) is var warmup && warmup <= Epochs
        ? warmup
        : throw new ArgumentException(FormattableString.Invariant(
            $"The learning rate would never reach its peak: --lr-warmup {warmup} is more than the run has, --epochs {Epochs}."));

    [Option("Momentum of the optimizer.", Value = OptionAttribute.Fraction, Range = "[0, 1)")]
    public double Momentum { get; init; } = 0.9;

    [Option("Uses Nesterov momentum.")]
    public bool Nesterov { get; init; }

    [Option("Decay of the weights.", Value = "DECAY", Range = "[0, ∞)")]
    public double WeightDecay { get; init; } = 1e-4;

    [Option("Whether biases and the scales and shifts of norms decay, too.")]
    public bool DecayNorms { get; init; } = true;

    [Option("Label smoothing: the share of the target spread over all classes.", Value = OptionAttribute.Fraction, Range = "[0, 1)")]
    public double LabelSmoothing { get; init; }

    [Option(
        "Decay of a running average of the weights, such as 0.9999.",
        Value = OptionAttribute.Fraction, Range = "(0, 1)", Default = "no average")]
    public double? Ema { get; init; }

    [Option(
        "Batches of training pictures from which batch norms are estimated anew, once the zeros are final.",
        Value = "BATCHES", Range = "[0, ∞)", Default = "none")]
    public int? Reestimate { get; init; }

    [Option("dense or pdp.", Section = "Method", Value = "NAME")]
    public string Method { get; init => field = Matches(value, MethodForm(), "dense or pdp")!; } = "dense";

    [Option("Lowers the kept weights of N:M from M to N along the ramp; if false, N are kept from its start on.")]
    public bool Gradual { get; init; } = true;

    [Option("Weights or modules that stay dense, with commas between them: conv1,*.downsample.", Value = "PATTERNS")]
    public string? Exclude { get; init; }

    [Option(
        "Steps from one checkpoint to the next within an epoch; 0 for only one at the end of each epoch.",
        Section = "What is kept", Value = "STEPS", Range = "[0, ∞)")]
    public int CheckpointSteps { get; init; }

    [Option("Checkpoints to keep besides the best.", Value = "COUNT", Range = "[1, ∞)")]
    public int KeepLast { get; init; } = 2;

    [Option("Steps from one entry for TensorBoard to the next; 0 for none at all.", Value = "STEPS", Range = "[0, ∞)")]
    public int LogSteps { get; init; } = 50;

    /// <summary>Checks that the settings go together, before anything is loaded.</summary>
    /// <exception cref="ArgumentException">They don't.</exception>
    public void RequirePossible()
    {
        (_, _) = (Part, WarmupEpochs);
        if (Distributed)
        {
            Ranks.RequireCommonMasks(Importance);
        }

        if (Resume && Evaluate is not null)
        {
            throw new ArgumentException("Give either --resume or --evaluate, not both.");
        }

        if (Packed && Evaluate is null)
        {
            throw new ArgumentException("--packed goes with --evaluate FILE.");
        }

        if (Method == "pdp")
        {
            Pruning.RequirePossible(this);
        }
    }

    /// <summary>The settings that decide a run's numbers; a checkpoint is continued only under the same ones.</summary>
    public IReadOnlyDictionary<string, string> Deciding() => CommandLine.Pairs(
        this,
        nameof(Recipe), nameof(Data), nameof(Out), nameof(Resume), nameof(Evaluate), nameof(Packed), nameof(Device), nameof(Threads),
        nameof(Weights), nameof(ShrinkRecord), nameof(Workers), nameof(CheckpointSteps), nameof(KeepLast), nameof(LogSteps),
        nameof(Distributed), nameof(AgreementSteps));

    /// <summary>The settings that must be the same on all ranks: all but what follows from each machine.</summary>
    public IReadOnlyDictionary<string, string> Common() => CommandLine.Pairs(this, nameof(Device), nameof(Threads), nameof(Workers));

    private static string? Matches(string? value, Regex form, string wanted) =>
        value is null || form.IsMatch(value) ? value : throw new ArgumentException($"Must be {wanted}, not '{value}'.");

    [GeneratedRegex("^(dense|pdp)$")]
    private static partial Regex MethodForm();
}
