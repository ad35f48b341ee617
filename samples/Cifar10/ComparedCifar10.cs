using System.Text.Json;
using Pdp.Samples.Comparison;
using Pdp.Training;

namespace Pdp.Samples.Cifar10;

/// <summary>What a comparison needs to know about this sample.</summary>
internal sealed class ComparedCifar10 : IComparedSample
{
    public IReadOnlyList<string> Methods => Cifar10.Methods.Names;

    public Metric Metric => Metric.Accuracy;

    public IReadOnlyCollection<string> OwnOptions { get; } =
        ["method", "seed", "data", "weights", "out", "resume", "download", "download-to"];

    public IReadOnlyList<string> RunArguments { get; } = ["--deploy", "false"];

    public PruningSettings Settings(IReadOnlyList<string> arguments) => CommandLine.Parse<Settings>(arguments);

    public string Fingerprint(IReadOnlyList<string> arguments) => CommandLine.Parse<Settings>(arguments).Fingerprint();

    public ComparedReport? ReadReport(string json) => JsonSerializer.Deserialize<RunReport>(json, Json.Options);

    public void Rehearse(IReadOnlyList<string> arguments)
    {
        var settings = CommandLine.Parse<Settings>(arguments);
        Pruning.RequirePossible(settings);
        using var model = new ResNet20(settings.Width);
        using var pruner = RunPruner.Attach(model, Pruning.Options(settings, model), settings, Pruning.CommitEpoch(settings));
    }

    public void RequireInputs(IEnumerable<IReadOnlyList<string>> runs, string data, string? weights)
    {
        if (weights is null)
        {
            return;
        }

        // Runs of one shape take the same weights.
        var settingsOfRuns = runs.Select(arguments => CommandLine.Parse<Settings>(arguments));
        foreach (var settings in settingsOfRuns.DistinctBy(settings => (settings.Width, settings.ShrinkRecord)))
        {
            using var model = Networks.Make(settings);
            Safetensors.LoadInto(model, weights);
        }
    }

    public string? HashOf(string? weights) => FileHash.Of(weights);
}
