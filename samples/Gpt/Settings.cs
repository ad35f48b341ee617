using Pdp.Samples.Gpt.Text;
using Pdp.Samples.Transformers;

namespace Pdp.Samples.Gpt;

/// <summary>The settings of a run; each property is an option of the same name (<c>WeightDecay</c>: <c>--weight-decay</c>).</summary>
internal sealed record Settings : TransformerSettings
{
    public const string Tiny = "tiny";

    /// <summary>The methods, without POFA, which needs a teacher.</summary>
    public static readonly IReadOnlyList<string> Methods = [.. PruningMethods.Names.Except(["pofa"])];

    private static readonly string[] Presets = [Tiny, "small", "gpt2"];

    [Option(
        "A text file, whose last tenth is tested on, or a folder with .txt files that have train, test and maybe valid in their names.",
        Section = "What to run", Value = "FILE|FOLDER", Default = "none; must be given")]
    public string? Data { get; init; }

    [Option("The sizes of a model with fresh weights: tiny, small or gpt2.", Value = "NAME", Default = "tiny, without --weights")]
    public string? Preset { get; init => field = value is null ? null : Known("preset", value, Presets); }

    [Option(
        "A folder with config.json and model.safetensors of a GPT-2, as Hugging Face has them.",
        Value = "FOLDER", Default = "fresh weights")]
    public string? Weights { get; init; }

    [Option("Weights to start from, such as those of a dense run of the same sizes.", Value = "FILE", Default = "those of the model")]
    public string? Start { get; init; }

    [Option(
        "What text is cut into: bytepairs (GPT-2's), words or characters.", Value = "NAME",
        Default = "bytepairs with --weights, else characters")]
    public string? Tokens { get; init => field = value is null ? null : Known("kind of tokens", value, TokenData.Kinds); }

    [Option("dense, pdp, gmp, str, optg, acdc, granet, dnw, mvp or lnm.", Section = "Method", Value = "NAME")]
    public override string Method { get; init => field = PruningMethods.Known(value, Methods); } = PruningMethods.Dense;

    [Option("STR: initial logit of its thresholds.", Value = "LOGIT", Range = "[-1000, 1000]")]
    public override double StrStart { get; init; } = -15;

    [Option("STR: decay of the logits of its thresholds, which controls how much is removed.", Value = "DECAY", Range = "[0, ∞)")]
    public override double StrDecay { get; init; } = 1;

    [Option("Length of the run; 0 only measures.", Section = "Training", Value = "COUNT", Range = "[0, ∞)")]
    public override int Epochs { get; init; } = 4;

    [Option(
        "Epochs from one test of the network to the next; 0 to test only at the end.",
        Value = "EPOCHS", Range = "[0, ∞)")]
    public override int TestEvery { get; init; } = 1;

    [Option("Windows in a step.", Value = "WINDOWS", Range = "[1, ∞)")]
    public int Batch { get; init; } = 32;

    [Option("Tokens of a window.", Value = "TOKENS", Range = "[1, ∞)")]
    public int Length { get; init; } = 64;

    [Option(
        "Tokens by which the window is moved on when the perplexity is measured.",
        Value = "TOKENS", Range = "[1, ∞)", Default = "half a window")]
    public int? Stride { get; init; }

    [Option("Peak learning rate.", Value = "RATE", Range = "[0, ∞)")]
    public override double Lr { get; init; } = 1e-3;

    [Option("Share of the steps in which the learning rate rises.", Value = OptionAttribute.Fraction, Range = "[0, 1]")]
    public override double Warmup { get; init; } = 0.1;

    [Option("Decay of the matrices.", Value = "DECAY", Range = "[0, ∞)")]
    public override double WeightDecay { get; init; } = 0.01;

    [Option("Largest norm of the gradient.", Value = "NORM", Range = "(0, ∞)")]
    public override double Clip { get; init; } = 1;

    [Option("Share of activations that training drops.", Value = OptionAttribute.Fraction, Range = "[0, 1)", Default = "the model's, 0.1")]
    public double? Dropout { get; init; }

    [Option("Seed of fresh weights, the order of the windows, dropout and the text that is written.")]
    public override int Seed { get; init; }

    [Option(DeviceOption.Text, Value = "DEVICE", Default = DeviceOption.Default)]
    public string? Device { get; init => field = DeviceOption.Checked(value); }

    [Option("Threads for the arithmetic on the CPU.", Value = "THREADS", Range = "[1, 1024]")]
    public int Threads { get; init; } = 1;

    [Option("Where metrics, report, weights and checkpoints go.", Section = "Results", Value = "FOLDER", Default = "nowhere")]
    public override string? Out { get; init; }

    [Option("Continues from the checkpoint in --out; dense and pdp can.")]
    public override bool Resume { get; init; }

    [Option("Tokens of text to write at the end, dense and pruned side by side; 0 for none.", Value = "TOKENS", Range = "[0, ∞)")]
    public int Write { get; init; } = 60;

    [Option("What the text begins with.", Value = "TEXT", Default = "the first tokens of the test text")]
    public string? Prompt { get; init; }

    [Option(
        "Weights of the dense model that writes beside the pruned one.",
        Value = "FILE", Default = "those that the run starts from; with fresh weights the pruned model writes alone")]
    public string? Dense { get; init; }

    [Option(
        "Tokens to train on, and to test on, for a quick try.",
        Section = "For a quick try", Value = "TOKENS", Range = "[1, ∞)", Default = "all")]
    public int? Limit { get; init; }

    /// <summary>What the texts are cut into, once they are read: a checkpoint is continued on the same tokens alone.</summary>
    /// <remarks>Not public, as it is no option.</remarks>
    internal string? Vocabulary { get; init; }

    public override string Fingerprint() => (Start is null ? "" : "started ") + CommandLine.Echo(
        AllocationOption.IsFromReport(Allocation) ? this with { Allocation = $"{AllocationOption.From}report" } : this,
        nameof(Data), nameof(Weights), nameof(Start), nameof(Device), nameof(Threads), nameof(Out), nameof(Resume), nameof(Write),
        nameof(Prompt), nameof(Dense)) + (Vocabulary is null ? "" : $" on {Vocabulary}");

    private static string Known(string what, string value, IReadOnlyCollection<string> names) =>
        names.Contains(value) ? value : throw new ArgumentException(CommandLine.Unknown(what, value, names));
}
