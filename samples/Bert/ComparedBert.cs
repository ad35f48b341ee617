using System.Text.Json;
using Pdp.Samples.Bert.Network;
using Pdp.Samples.Bert.Text;
using Pdp.Samples.Bert.Training;
using Pdp.Samples.Comparison;
using Pdp.Samples.Transformers;

namespace Pdp.Samples.Bert;

/// <summary>What a comparison needs to know about this sample.</summary>
internal sealed class ComparedBert : IComparedSample
{
    /// <summary>Small, since settings that don't go together don't at any size.</summary>
    private static readonly BertConfig Small = new()
    {
        HiddenSize = 16,
        NumHiddenLayers = 1,
        NumAttentionHeads = 2,
        IntermediateSize = 32,
        VocabSize = 8,
    };

    /// <summary>Short, since runs check their own length.</summary>
    private const int ShortestText = 5;

    public IReadOnlyList<string> Methods => PruningMethods.Names;

    public Metric Metric => Metric.Accuracy;

    public IReadOnlyCollection<string> OwnOptions { get; } = ["method", "seed", "data", "weights", "out", "resume"];

    public IReadOnlyList<string> RunArguments { get; } = ["--deploy", "false"];

    public PruningSettings Settings(IReadOnlyList<string> arguments) => CommandLine.Parse<Settings>(arguments);

    public string Fingerprint(IReadOnlyList<string> arguments) => CommandLine.Parse<Settings>(arguments).Fingerprint();

    public ComparedReport? ReadReport(string json) => JsonSerializer.Deserialize<RunReport>(json, Json.Options);

    public void Rehearse(IReadOnlyList<string> arguments)
    {
        var settings = CommandLine.Parse<Settings>(arguments);
        using var model = new BertClassifier(Small, classes: 2);
        Pruning.Attach(settings, model)?.Dispose();
    }

    public void RequireInputs(IEnumerable<IReadOnlyList<string>> runs, string data, string? weights)
    {
        var folder = new BertFolder(weights);
        var (config, pieces) = folder.Load(ShortestText);
        var task = TaskData.Load(data, pieces, ShortestText, limit: 1);
        using var model = new BertClassifier(config, task.Classes.Count);
        PretrainedWeights.LoadInto(model, folder.WeightsFile, task.Classes);
    }

    public string? HashOf(string? weights) => weights is null ? null : FileHash.Of(new BertFolder(weights).WeightsFile);
}
