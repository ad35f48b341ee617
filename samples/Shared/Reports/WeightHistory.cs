using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Samples.Reports;

/// <summary>Histograms of some weights over the epochs, with the threshold and the temperature of their masks, for pictures.</summary>
internal sealed class WeightHistory(nn.Module model, PdpPruner pruner)
{
    private readonly Dictionary<string, Parameter> _parameters =
        model.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter, StringComparer.Ordinal);
    private readonly List<WeightSnapshot> _snapshots = [];

    /// <summary>All that were taken, in their order.</summary>
    public IReadOnlyList<WeightSnapshot> Snapshots => _snapshots;

    /// <summary>Begins with what was taken before a run was interrupted.</summary>
    public void Restore(IEnumerable<WeightSnapshot> snapshots) => _snapshots.AddRange(snapshots);

    /// <summary>Takes the first, the middle and the last pruned weight as they are now.</summary>
    public void Take(double epoch)
    {
        var layers = pruner.Report().Layers;
        foreach (var layer in new[] { 0, layers.Count / 2, layers.Count - 1 }.Distinct().Select(index => layers[index]))
        {
            if (_parameters.TryGetValue(layer.Name, out var weight))
            {
                _snapshots.Add(WeightSnapshot.Of(layer.Name, weight, epoch, layer.Threshold, layer.Temperature));
            }
        }
    }
}
