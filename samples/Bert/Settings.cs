using Pdp.Samples.Transformers;

namespace Pdp.Samples.Bert;

/// <summary>The settings of a run; each property is an option of the same name (<c>WeightDecay</c>: <c>--weight-decay</c>).</summary>
internal sealed record Settings : TransformerSettings
{
    [Option(
        "A folder with config.json, vocab.txt and model.safetensors, as Hugging Face has them.",
        Section = "What to run", Value = "FOLDER", Default = "none; must be given")]
    public string? Weights { get; init; }

    [Option(
        "A folder with train.tsv and dev*.tsv (or .jsonl): MNLI, or another task with such columns.",
        Value = "FOLDER", Default = "none; must be given")]
    public string? Data { get; init; }

    [Option(
        "Weights of a classifier to start from, such as those of a dense run.",
        Value = "FILE", Default = "the encoder's, and a fresh classifier")]
    public string? Start { get; init; }

    [Option("dense, pdp, gmp, str, optg, acdc, granet, dnw, mvp, pofa or lnm.", Section = "Method", Value = "NAME")]
    public override string Method { get; init => field = PruningMethods.Known(value, PruningMethods.Names); } = PruningMethods.Dense;

    [Option("STR: initial logit of its thresholds.", Value = "LOGIT", Range = "[-1000, 1000]")]
    public override double StrStart { get; init; } = -15;

    [Option("STR: decay of the logits of its thresholds, which controls how much is removed.", Value = "DECAY", Range = "[0, ∞)")]
    public override double StrDecay { get; init; } = 50;

    [Option("Weights of the classifier that teaches this one.", Value = "FILE", Default = "no teacher")]
    public string? Teacher { get; init; }

    [Option("Share of the teacher's answers in the loss.", Value = OptionAttribute.Fraction, Range = "[0, 1]")]
    public double Distill { get; init; } = 0.95;

    [Option("Temperature of the teacher's answers.", Value = "T", Range = "[0.001, 10000]")]
    public double DistillTemperature { get; init; } = 2;

    [Option("Length of the run; 0 only measures.", Section = "Training", Value = "COUNT", Range = "[0, ∞)")]
    public override int Epochs { get; init; } = 3;

    [Option(
        "Epochs from one test of the network to the next; 0 to test only at the end.",
        Value = "EPOCHS", Range = "[0, ∞)")]
    public override int TestEvery { get; init; } = 1;

    [Option("Texts in a step.", Value = "TEXTS", Range = "[1, ∞)")]
    public int Batch { get; init; } = 32;

    [Option("The most tokens of a pair.", Value = "TOKENS", Range = "[5, ∞)")]
    public int Length { get; init; } = 128;

    [Option("Peak learning rate.", Value = "RATE", Range = "[0, ∞)")]
    public override double Lr { get; init; } = 5e-5;

    [Option("Share of the steps in which the learning rate rises.", Value = OptionAttribute.Fraction, Range = "[0, 1]")]
    public override double Warmup { get; init; } = 0.1;

    [Option("Decay of the matrices.", Value = "DECAY", Range = "[0, ∞)")]
    public override double WeightDecay { get; init; } = 0.01;

    [Option("Largest norm of the gradient.", Value = "NORM", Range = "(0, ∞)")]
    public override double Clip { get; init; } = 1;

    [Option("Seed of fresh weights, the order of the texts and dropout.")]
    public override int Seed { get; init; }

    [Option(DeviceOption.Text, Value = "DEVICE", Default = DeviceOption.Default)]
    public string? Device { get; init => field = DeviceOption.Checked(value); }

    [Option("Threads for the arithmetic on the CPU.", Value = "THREADS", Range = "[1, 1024]")]
    public int Threads { get; init; } = 1;

    [Option("Where metrics, report, weights and checkpoints go.", Section = "Results", Value = "FOLDER", Default = "nowhere")]
    public override string? Out { get; init; }

    [Option("Times a call on one text and on eight at the end of a pruned run: dense and packed.")]
    public bool Deploy { get; init; } = true;

    [Option("Continues from the checkpoint in --out; dense and pdp can.")]
    public override bool Resume { get; init; }

    [Option(
        "Texts to train on, and to test on, for a quick try.",
        Section = "For a quick try", Value = "TEXTS", Range = "[1, ∞)", Default = "all")]
    public int? Limit { get; init; }

    public override bool IsTaught => Teacher is not null;

    public override string Fingerprint() => (Teacher is null ? "" : "taught ") + (Start is null ? "" : "started ") + CommandLine.Echo(
        AllocationOption.IsFromReport(Allocation) ? this with { Allocation = $"{AllocationOption.From}report" } : this,
        nameof(Weights), nameof(Data), nameof(Start), nameof(Teacher), nameof(Device), nameof(Threads), nameof(Out), nameof(Deploy),
        nameof(Resume));
}
