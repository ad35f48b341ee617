using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Pdp.Samples.Cifar10;

/// <summary>What a run can be told; each property is an option of the same name (<c>WeightDecay</c>: <c>--weight-decay</c>).</summary>
internal sealed partial record Settings
{
    /// <summary>A folder or .tar.gz of pictures, or the official binary archive, packed or unpacked.</summary>
    public string? Data { get; init; }

    /// <summary>Whether to fetch the official archive first, unless it is there already.</summary>
    public bool Download { get; init; }

    /// <summary>Where downloads go; by default a folder of the user's cache.</summary>
    public string? DownloadTo { get; init; }

    /// <summary>Weights to start from (safetensors); fresh ones if not given.</summary>
    public string? Weights { get; init; }

    /// <summary>The record of a shrunk network (shrink.json), whose weights are to be started from.</summary>
    public string? ShrinkRecord { get; init; }

    /// <summary>dense, pdp, or another method of the comparison.</summary>
    public string Method { get; init => field = Known(value, Methods.Names); } = Methods.Dense;

    /// <summary>unstructured, N:M (N kept of M), or channel.</summary>
    public string Strategy { get; init => field = Matches(value, StrategyForm(), "unstructured, channel, or N:M such as 2:4"); } = "unstructured";

    /// <summary>Fraction of the inner convolutions' weights to remove, in [0, 1).</summary>
    public double Sparsity { get; init => field = Check(value, value is >= 0 and < 1, "in [0, 1)"); } = 0.9;

    /// <summary>How the sparsity is divided among the layers: global (one order of magnitudes), erk (Erdős–Rényi kernel) or uniform.</summary>
    public string Allocation { get; init => field = Known(value, Pruning.Allocations); } = "global";

    /// <summary>Of STR, where the logits of its thresholds start.</summary>
    public double StrStart { get; init => field = Check(value, double.IsFinite(value), "finite"); } = -5;

    /// <summary>Of STR, the decay of the logits of its thresholds, which with <see cref="StrStart"/> steers how much is removed.</summary>
    public double StrDecay { get; init => field = Check(value, value is >= 0 and < double.PositiveInfinity, "at least 0"); } = 5e-4;

    /// <summary>Weights of a trained network whose answers are half of what is learned; no teacher if not given.</summary>
    public string? Teacher { get; init; }

    /// <summary>Fraction of the network's multiplications to remove with the channel strategy, in (0, 1).</summary>
    public double MacBudget { get; init => field = Check(value, value is > 0 and < 1, "in (0, 1)"); } = 0.5;

    public int Epochs { get; init => field = Check(value, value >= 0, "at least 0"); } = 8;

    /// <summary>Dense epochs before pruning begins; an eighth of the run if not given.</summary>
    public double? Warmup { get; init => field = Check(value, value is null or >= 0, "at least 0"); }

    /// <summary>The epoch at which a cubic ramp reaches the target; the method's own schedule if not given, or four tenths of the run if <see cref="Warmup"/> is.</summary>
    public double? RampEnd { get; init => field = Check(value, value is null or > 0, "above 0"); }

    /// <summary>Slope of the paper's linear ramp, per epoch; the method's own schedule if not given.</summary>
    public double? Epsilon { get; init => field = Check(value, value is > 0 and <= 1, "in (0, 1]"); }

    /// <summary>The paper's absolute temperature τ, in weight².</summary>
    public double? Temperature { get; init => field = Check(value, value is > 0 and < double.PositiveInfinity, "above 0"); }

    /// <summary>Temperature relative to the squared threshold: constant (0.25) or from start to end (1:0.03).</summary>
    public string? RelativeTemperature { get; init => field = Matches(value, TemperatureForm(), "a number, or two such as 1:0.03"); }

    /// <summary>The epoch at which annealing ends; 90 % of the run if not given.</summary>
    public double? AnnealEnd { get; init => field = Check(value, value is null or > 0, "above 0"); }

    /// <summary>
    /// The epoch at which the zeros are made final, after which the network trains on without what is removed; the end of the run if not
    /// given, half of it with the channel strategy, three quarters with pofa.
    /// </summary>
    public double? CommitAt { get; init => field = Check(value, value is null or >= 0, "at least 0"); }

    /// <summary>Tests the network every so many epochs; 0 for in the end only, and then not in every form.</summary>
    public int TestEvery { get; init => field = Check(value, value >= 0, "at least 0"); } = 1;

    public int Batch { get; init => field = Check(value, value > 1, "at least 2, for batch-norm"); } = 128;

    public double Lr { get; init => field = Check(value, value is >= 0 and < double.PositiveInfinity, "at least 0"); } = 0.05;

    public double WeightDecay { get; init => field = Check(value, value is >= 0 and < double.PositiveInfinity, "at least 0"); } = 5e-4;

    public double Momentum { get; init => field = Check(value, value is >= 0 and < 1, "in [0, 1)"); } = 0.9;

    public bool Nesterov { get; init; } = true;

    public int Seed { get; init; }

    public int Threads { get; init => field = Check(value, value > 0, "at least 1"); } = 1;

    /// <summary>Where metrics, report, weights and checkpoint go; nowhere if not given.</summary>
    public string? Out { get; init; }

    /// <summary>Whether to go on from the checkpoint in <see cref="Out"/>.</summary>
    public bool Resume { get; init; }

    /// <summary>Training pictures per class, for a quick try; all if not given.</summary>
    public int? Limit { get; init => field = Check(value, value is null or > 0, "at least 1"); }

    /// <summary>The settings that decide a run's numbers; a checkpoint is continued only under the same ones.</summary>
    public string Fingerprint() =>
        (Teacher is null ? "" : "taught ") + CommandLine.Echo(this, nameof(Data), nameof(Download), nameof(DownloadTo), nameof(Weights), nameof(ShrinkRecord), nameof(Teacher), nameof(Threads), nameof(Out), nameof(Resume));

    private static T Check<T>(T value, bool isValid, string range, [CallerMemberName] string name = "") =>
        isValid || value is null ? value : throw new ArgumentOutOfRangeException(name, value, $"Must be {range}.");

    private static string Known(string value, IReadOnlyCollection<string> names, [CallerMemberName] string name = "") =>
        names.Contains(value) ? value : throw new ArgumentException(CommandLine.Unknown(name.ToLowerInvariant(), value, names), name);

    private static string Matches(string? value, Regex form, string wanted, [CallerMemberName] string name = "") =>
        value is null || form.IsMatch(value) ? value! : throw new ArgumentException($"Must be {wanted}, not '{value}'.", name);

    [GeneratedRegex("^(unstructured|channel|[1-9][0-9]*:[1-9][0-9]*)$")]
    private static partial Regex StrategyForm();

    [GeneratedRegex(@"^[0-9.]+(e-?[0-9]+)?(:[0-9.]+(e-?[0-9]+)?)?$")]
    private static partial Regex TemperatureForm();
}
