using System.Globalization;

namespace Pdp.Samples.Cifar10.Scanning;

/// <summary>What a scan can be told; each property is an option of the same name.</summary>
internal sealed record ScanSettings
{
    [Option(
        "A folder or .tar.gz of pictures, or the official binary archive.",
        Section = "Options", Value = "FOLDER|FILE", Default = "none; must be given")]
    public string? Data { get; init; }

    [Option("Weights of the trained network (safetensors).", Value = "FILE", Default = "none; must be given")]
    public string? Weights { get; init; }

    [Option(NetworkOption.WidthText, Value = "CHANNELS", Range = "[2, 256]")]
    public int Width { get; init => field = NetworkOption.Width(value); } = ResNet20.UsualWidth;

    [Option(NetworkOption.SideText + " As the weights were trained with.", Value = "PIXELS", Range = "[4, 32]")]
    public int Side { get; init => field = NetworkOption.Side(value); } = ImageSet.Side;

    [Option("unstructured, channel, N:M for N weights kept of every M, or blocks of rows x columns such as 1x4.", Value = "NAME|N:M|RxC")]
    public string Strategy { get; init => field = StrategyOption.Checked(value); } = "unstructured";

    [Option("Sparsities at which each layer is tried, rising.", Value = "LIST")]
    public string Levels { get; init => field = Checked(value); } = "0.3,0.5,0.7,0.8,0.9,0.95";

    [Option(
        "Training pictures per class that measure the cost: the last ones, which --hold-out keeps from a training run.",
        Value = "PICTURES", Range = "[1, ∞)")]
    public int Limit { get; init; } = 100;

    [Option("Drop of the accuracy that the bounds at the end allow each layer.", Value = OptionAttribute.Fraction, Range = "[0, 1)")]
    public double Drop { get; init; } = 0.01;

    [Option("Threads of the arithmetic.", Value = "THREADS", Range = "[1, ∞)")]
    public int Threads { get; init; } = 1;

    [Option("Where sensitivity.json, sensitivity.csv and the chart go.", Value = "FOLDER", Default = "nowhere")]
    public string? Out { get; init; }

    /// <summary>The sparsities as numbers.</summary>
    public IReadOnlyList<double> Sparsities() => [.. Levels.Split(',').Select(level => double.Parse(level, CultureInfo.InvariantCulture))];

    private static string Checked(string list) =>
        list.Split(',').All(level => double.TryParse(level, CultureInfo.InvariantCulture, out var number) && number is > 0 and < 1)
            ? list
            : throw new ArgumentException($"Must be sparsities in (0, 1) with commas between them, such as 0.5,0.7,0.9, not '{list}'.");
}
