using Pdp.Training;
using TorchSharp;

namespace Pdp.Samples.Cifar10.Scanning;

/// <summary>The command <c>sensitivity</c>: prunes each layer of a trained network alone, and shows what that costs.</summary>
/// <remarks>Bounds for layers are settings, so training pictures choose them; the test pictures are left to judge the result.</remarks>
internal static class Scan
{
    /// <returns>The exit code.</returns>
    /// <exception cref="ArgumentException">An option is wrong.</exception>
    public static int Run(IReadOnlyList<string> arguments)
    {
        var settings = CommandLine.Parse<ScanSettings>(arguments);
        var weights = Given(settings.Weights, "--weights, a trained network");
        var data = Cifar10Data.Load(Given(settings.Data, "--data, the place of CIFAR-10"));
        using var folder = settings.Out is { } place ? FolderLock.Take(place) : null;
        torch.set_num_threads(settings.Threads);
        using var model = new ResNet20(settings.Width);
        Safetensors.LoadInto(model, weights);
        var pictures = new Evaluation(data.Train.Last(settings.Limit), seed: 0, side: settings.Side);
        var options = Pruning.Options(
            new Settings { Method = "pdp", Strategy = settings.Strategy, Width = settings.Width, Side = settings.Side }, model);

        var report = Sensitivity.Scan(model, () => pictures.Accuracy(model), settings.Sparsities(), options);

        Console.Write(report);
        WriteBounds(report, settings.Drop);
        if (settings.Out is { } results)
        {
            AtomicFile.WriteText(Path.Combine(results, "sensitivity.json"), report.ToJson());
            AtomicFile.WriteText(Path.Combine(results, "sensitivity.csv"), report.ToCsv());
            AtomicFile.WriteText(Path.Combine(results, "sensitivity.svg"), SensitivityChart.Of(report).ToFile());
        }

        return 0;
    }

    private static void WriteBounds(SensitivityReport report, double drop)
    {
        Console.WriteLine(FormattableString.Invariant(
            $"The largest sparsity at which each layer costs at most {100 * drop:0.##} points, for MaximumSparsity in rules:"));
        foreach (var bound in report.Bounds(drop))
        {
            Console.WriteLine(FormattableString.Invariant($"  {bound.Match} {bound.MaximumSparsity:0.####}"));
        }
    }

    private static string Given(string? value, string what) => value ?? throw new ArgumentException($"sensitivity needs {what}.");
}
