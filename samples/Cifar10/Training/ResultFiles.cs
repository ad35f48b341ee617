using System.Text.Json;
using Pdp.Samples.Reports;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Cifar10;

/// <summary>What a finished run leaves in the folder of <c>--out</c>.</summary>
internal static class ResultFiles
{
    /// <summary>The pruning report, for <c>--allocation</c> of another run.</summary>
    public const string PruningReportName = "pruning.json";

    /// <summary>Writes all of it. report.json comes last: where it is, the others are.</summary>
    public static void Write(string folder, ResNet20 model, RunPage page, ShrinkReport? shrink, WeightHistory? history, RunReport report)
    {
        using var scope = NewDisposeScope();
        Safetensors.Save(Path.Combine(folder, "weights.safetensors"), model.state_dict());
        WriteText("layers.csv", page.Pruning?.ToCsv());
        WriteText(PruningReportName, page.Pruning?.ToJson());
        WriteText("shrink.json", shrink is null ? null : shrink.Record.ToJson() + "\n");
        WriteText("history.json", history is null ? null : JsonSerializer.Serialize(history.Snapshots, Json.Options));
        WriteText(RunPage.FileName, page.ToHtml());
        WriteText("report.json", JsonSerializer.Serialize(report, Json.Options) + "\n");

        void WriteText(string name, string? text)
        {
            if (text is not null)
            {
                AtomicFile.WriteText(Path.Combine(folder, name), text);
            }
        }
    }
}
