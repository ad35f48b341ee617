using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Pdp.Samples.ImageNet;

/// <summary>
/// What a run can be told; each property is an option of the same name (<c>WeightDecay</c>: <c>--weight-decay</c>), and a key
/// of a recipe (<c>"weight-decay"</c>).
/// </summary>
internal sealed partial record Settings
{
    /// <summary>The name of a recipe beside the program, or the path of one; options on the command line override it.</summary>
    public string? Recipe { get; init; }

    /// <summary>The folder with train and val in it, or <c>synthetic:1024</c> for so many drawn pictures.</summary>
    public string? Data { get; init; }

    /// <summary>Pictures per class, for a quick try; all if not given.</summary>
    public int? Limit { get; init => field = Check(value, value is null or > 0, "at least 1"); }

    /// <summary>Where metrics, checkpoints, report and weights go; nowhere if not given.</summary>
    public string? Out { get; init; }

    /// <summary>Whether to go on from the newest checkpoint in <see cref="Out"/>.</summary>
    public bool Resume { get; init; }

    /// <summary>Weights or a checkpoint to measure the accuracy of, in place of training.</summary>
    public string? Evaluate { get; init; }

    /// <summary>cpu, cuda or cuda:1; cuda where there is one if not given.</summary>
    public string? Device { get; init => field = Matches(value, DeviceForm(), "cpu, cuda, or cuda:n"); }

    /// <summary>Threads of the arithmetic on the CPU; libtorch's own choice if not given.</summary>
    public int? Threads { get; init => field = Check(value, value is null or > 0, "at least 1"); }

    public int Seed { get; init; }

    /// <summary>resnet18, resnet50, mobilenet-v1 or mobilenet-v2.</summary>
    public string Model { get; init => field = Networks.Known(value); } = "resnet18";

    public int Classes { get; init => field = Check(value, value > 1, "at least 2"); } = 1000;

    /// <summary>Whether each block of a ResNet starts as its shortcut alone.</summary>
    public bool ZeroInitialResidual { get; init; }

    /// <summary>Weights to start from (safetensors); fresh ones if not given.</summary>
    public string? Weights { get; init; }

    /// <summary>The record of a shrunk network (shrink.json), whose weights are to be started from or evaluated.</summary>
    public string? ShrinkRecord { get; init; }

    public int Epochs { get; init => field = Check(value, value > 0, "at least 1"); } = 100;

    /// <summary>The pictures of a step.</summary>
    public int Batch { get; init => field = Check(value, value > 1, "at least 2, for batch-norm"); } = 256;

    /// <summary>The equal parts that a step's pictures go through the network in, where all at once do not fit into memory.</summary>
    public int Accumulate { get; init => field = Check(value, value > 0, "at least 1"); } = 1;

    /// <summary>The pictures of a part.</summary>
    /// <exception cref="ArgumentException">The batch can't be divided so.</exception>
    public int Part => Batch % Accumulate == 0
        ? Batch / Accumulate
        : throw new ArgumentException($"A batch of {Batch} pictures can't be divided into {Accumulate} equal parts: --batch must be a multiple of --accumulate.");

    /// <summary>Height and width of the pictures.</summary>
    public int Side { get; init => field = Check(value, value >= 32, "at least 32"); } = 224;

    /// <summary>Threads that read pictures; one for each core if not given.</summary>
    public int? Workers { get; init => field = Check(value, value is null or > 0, "at least 1"); }

    /// <summary>The highest learning rate.</summary>
    public double Lr { get; init => field = Check(value, value is >= 0 and < double.PositiveInfinity, "at least 0"); } = 0.1;

    /// <summary>Epochs in which the learning rate rises to its highest.</summary>
    public double LrWarmup { get; init => field = Check(value, value is >= 0 and < double.PositiveInfinity, "at least 0"); } = 5;

    public double Momentum { get; init => field = Check(value, value is >= 0 and < 1, "in [0, 1)"); } = 0.9;

    public bool Nesterov { get; init; }

    public double WeightDecay { get; init => field = Check(value, value is >= 0 and < double.PositiveInfinity, "at least 0"); } = 1e-4;

    /// <summary>Whether biases and the scales and shifts of norms decay, too.</summary>
    public bool DecayNorms { get; init; } = true;

    public double LabelSmoothing { get; init => field = Check(value, value is >= 0 and < 1, "in [0, 1)"); }

    /// <summary>The share that a running average of the weights keeps at each step, such as 0.9999; no average if not given.</summary>
    public double? Ema { get; init => field = Check(value, value is null or (> 0 and < 1), "in (0, 1)"); }

    /// <summary>dense or pdp.</summary>
    public string Method { get; init => field = Matches(value, MethodForm(), "dense or pdp"); } = "dense";

    /// <summary>unstructured, N:M (N kept of M), or channel.</summary>
    public string Strategy { get; init => field = Matches(value, StrategyForm(), "unstructured, channel, or N:M such as 2:4"); } = "unstructured";

    /// <summary>Whether the kept weights of N:M step down from M to N with the ramp, or are N from its start on.</summary>
    public bool Gradual { get; init; } = true;

    /// <summary>Fraction of the prunable weights to remove, in [0, 1).</summary>
    public double Sparsity { get; init => field = Check(value, value is >= 0 and < 1, "in [0, 1)"); } = 0.855;

    /// <summary>Fraction of the network's multiplications to remove with the channel strategy, in (0, 1).</summary>
    public double MacBudget { get; init => field = Check(value, value is > 0 and < 1, "in (0, 1)"); } = 0.5;

    /// <summary>The paper's s, the dense epochs before pruning begins; an eighth of the run if not given.</summary>
    public double? DenseEpochs { get; init => field = Check(value, value is null or >= 0, "at least 0"); }

    /// <summary>The paper's ε, the slope of its linear ramp per epoch; a cubic ramp if not given.</summary>
    public double? Epsilon { get; init => field = Check(value, value is null or (> 0 and <= 1), "in (0, 1]"); }

    /// <summary>The epoch at which a cubic ramp reaches the target; four tenths of the run if not given.</summary>
    public double? RampEnd { get; init => field = Check(value, value is null or > 0, "above 0"); }

    /// <summary>
    /// The epoch at which the zeros are made final, after which the network trains on without what is removed; the end of the run if not
    /// given, half of it with the channel strategy.
    /// </summary>
    public double? CommitAt { get; init => field = Check(value, value is null or >= 0, "at least 0"); }

    /// <summary>The paper's absolute temperature τ, in weight².</summary>
    public double? Temperature { get; init => field = Check(value, value is null or (> 0 and < double.PositiveInfinity), "above 0"); }

    /// <summary>Temperature relative to the squared threshold: constant (0.25) or from start to end (1:0.03).</summary>
    public string? RelativeTemperature { get; init => field = Matches(value, TemperatureForm(), "a number, or two such as 1:0.03"); }

    /// <summary>The epoch at which annealing ends; 90 % of the run if not given.</summary>
    public double? AnnealEnd { get; init => field = Check(value, value is null or > 0, "above 0"); }

    /// <summary>The weights that stay dense, as name patterns with commas between them: <c>conv1,*.downsample.0</c>.</summary>
    public string? Exclude { get; init; }

    /// <summary>Steps from one checkpoint to the next within an epoch; only at the end of each epoch if 0.</summary>
    public int CheckpointSteps { get; init => field = Check(value, value >= 0, "at least 0"); }

    /// <summary>The checkpoints to keep besides the best.</summary>
    public int KeepLast { get; init => field = Check(value, value > 0, "at least 1"); } = 2;

    /// <summary>Steps from one entry for TensorBoard to the next; none at all if 0.</summary>
    public int LogSteps { get; init => field = Check(value, value >= 0, "at least 0"); } = 50;

    /// <summary>The settings that decide a run's numbers; a checkpoint is continued only under the same ones.</summary>
    public IReadOnlyDictionary<string, string> Deciding() => CommandLine.Pairs(
        this,
        nameof(Recipe), nameof(Data), nameof(Out), nameof(Resume), nameof(Evaluate), nameof(Device), nameof(Threads), nameof(Weights),
        nameof(ShrinkRecord), nameof(Workers), nameof(CheckpointSteps), nameof(KeepLast), nameof(LogSteps));

    private static T Check<T>(T value, bool isValid, string range, [CallerMemberName] string name = "") =>
        isValid ? value : throw new ArgumentOutOfRangeException(name, value, $"Must be {range}.");

    private static string Matches(string? value, Regex form, string wanted, [CallerMemberName] string name = "") =>
        value is null || form.IsMatch(value) ? value! : throw new ArgumentException($"Must be {wanted}, not '{value}'.", name);

    [GeneratedRegex("^(cpu|cuda(:[0-9]+)?)$")]
    private static partial Regex DeviceForm();

    [GeneratedRegex("^(dense|pdp)$")]
    private static partial Regex MethodForm();

    [GeneratedRegex("^(unstructured|channel|[1-9][0-9]*:[1-9][0-9]*)$")]
    private static partial Regex StrategyForm();

    [GeneratedRegex(@"^[0-9.]+(e-?[0-9]+)?(:[0-9.]+(e-?[0-9]+)?)?$")]
    private static partial Regex TemperatureForm();
}
