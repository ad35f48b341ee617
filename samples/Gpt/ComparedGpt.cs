using System.Text.Json;
using Pdp.Samples.Comparison;
using Pdp.Samples.Gpt.Network;
using Pdp.Samples.Gpt.Text;
using Pdp.Samples.Gpt.Training;
using Pdp.Samples.Transformers;

namespace Pdp.Samples.Gpt;

/// <summary>What a comparison needs to know about this sample.</summary>
internal sealed class ComparedGpt : IComparedSample
{
    /// <summary>Small, since settings that don't go together don't at any size.</summary>
    private static readonly GptConfig Small = new() { VocabSize = 8, NPositions = 8, NEmbd = 16, NLayer = 1, NHead = 2 };

    public IReadOnlyList<string> Methods => Gpt.Settings.Methods;

    public Metric Metric => Metric.Perplexity;

    public IReadOnlyCollection<string> OwnOptions { get; } = ["method", "seed", "data", "weights", "out", "resume"];

    public IReadOnlyList<string> RunArguments { get; } = [];

    public PruningSettings Settings(IReadOnlyList<string> arguments) => CommandLine.Parse<Settings>(arguments);

    public string Fingerprint(IReadOnlyList<string> arguments) => CommandLine.Parse<Settings>(arguments).Fingerprint();

    public ComparedReport? ReadReport(string json) => JsonSerializer.Deserialize<RunReport>(json, Json.Options);

    public void Rehearse(IReadOnlyList<string> arguments)
    {
        using var model = new GptModel(Small);
        TransformerPruning.Attach(CommandLine.Parse<Settings>(arguments), model, exclude: [])?.Dispose();
    }

    public void RequireInputs(IEnumerable<IReadOnlyList<string>> runs, string data, string? weights)
    {
        _ = TextFiles.Read(data);
        if (weights is not null)
        {
            var folder = new GptFolder(weights);
            using var model = new GptModel(folder.Load(tokens: 1, length: 1));
            GptWeights.LoadInto(model, folder.WeightsFile);
        }
    }

    public string? HashOf(string? weights) => weights is null ? null : FileHash.Of(new GptFolder(weights).WeightsFile);
}
