using System.Text.Json;
using Pdp.Samples.Drawing;
using Pdp.Samples.Reports;

namespace Pdp.Samples.Cifar10.Gallery;

/// <summary>How the mask of a layer sharpens over the epochs of a run.</summary>
internal static class MaskPicture
{
    private const int Moments = 6;

    /// <exception cref="InvalidDataException">The folder has no run whose weights were kept.</exception>
    public static ChartGrid Of(string run)
    {
        var path = Path.Combine(run, "history.json");
        var history = File.Exists(path) ? JsonSerializer.Deserialize<WeightSnapshot[]>(File.ReadAllText(path), Json.Options)! : [];
        var layers = history.GroupBy(snapshot => snapshot.Layer).ToArray();
        if (layers.Length == 0)
        {
            throw new InvalidDataException($"'{path}' has no weights: give --run the folder of a finished run with --method pdp.");
        }

        WeightSnapshot[] all = [.. layers[layers.Length / 2]];
        var chosen = Enumerable.Range(0, Moments).Select(i => all[(int)Math.Round(i * (all.Length - 1) / (Moments - 1.0))]).Distinct();
        return new ChartGrid(
            $"The mask of {all[0].Layer} sharpens while the network trains",
            [.. chosen.Select(snapshot => MaskChart.Of(snapshot, Title(snapshot)) with { Width = 330, Height = 230 })],
            Columns: 3);
    }

    private static string Title(WeightSnapshot snapshot) => snapshot is { Threshold: { } threshold, Temperature: { } temperature }
        ? FormattableString.Invariant($"after epoch {snapshot.Epoch}: t²/τ = {threshold * threshold / temperature:0.0}")
        : FormattableString.Invariant($"after epoch {snapshot.Epoch}: dense");
}
