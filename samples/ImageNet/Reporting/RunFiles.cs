using Pdp.Samples.Reports;
using Pdp.Sparse;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.ImageNet.Reporting;

/// <summary>What a run leaves in the folder of <c>--out</c>.</summary>
internal static class RunFiles
{
    public const string Weights = "weights.safetensors";
    public const string SparseWeights = "weights.sparse.safetensors";
    public const string Report = "report.json";
    public const string Metrics = "metrics.csv";
    public const string Layers = "layers.csv";
    public const string Pruning = "pruning.json";
    public const string ShrinkRecord = "shrink.json";

    private static readonly (string Name, string Text)[] Known =
    [
        (Weights, "the weights of the network"),
        (SparseWeights, "the same without the zeros"),
        (ShrinkRecord, "which channels were cut out, for --shrink-record"),
        (RunPage.FileName, "the run as a page: curves, layers, weights, sizes, settings"),
        (Report, "the last line below"),
        (Metrics, "a line for each epoch"),
        (Layers, "the pruning report, a line for each layer"),
        (Pruning, "the same, for --allocation of another run"),
        ("checkpoints", "the last checkpoints and the best"),
        ("tensorboard", "what TensorBoard shows"),
    ];

    /// <summary>Writes a text; nothing where no folder was given.</summary>
    public static void Write(string? folder, string name, string text)
    {
        if (folder is not null)
        {
            AtomicFile.WriteText(Path.Combine(folder, name), text);
        }
    }

    /// <summary>Writes what a finished run leaves; nothing where no folder was given.</summary>
    public static void WriteResults(string? folder, nn.Module model, RunReport report, PruningReport? pruning, ShrinkReport? shrink)
    {
        if (folder is null)
        {
            return;
        }

        using var scope = NewDisposeScope();
        Safetensors.Save(Path.Combine(folder, Weights), model.state_dict());
        SparseFile.Save(model, Path.Combine(folder, SparseWeights));
        if (pruning is not null)
        {
            Write(folder, Layers, pruning.ToCsv());
            Write(folder, Pruning, pruning.ToJson());
        }

        if (shrink is not null)
        {
            Write(folder, ShrinkRecord, shrink.Record.ToJson() + "\n");
        }

        // Last: where it is, the others are.
        Write(folder, Report, report.ToJson() + "\n");
    }

    /// <summary>Those of them that are there, a line each; nothing where no folder was given.</summary>
    public static string List(string? folder) => folder is null ? "" : string.Join(
        Environment.NewLine,
        [$"Files in '{folder}':",
            .. Known.Where(file => Path.Exists(Path.Join(folder, file.Name))).Select(file => $"  {file.Name,-26} {file.Text}")]);
}
