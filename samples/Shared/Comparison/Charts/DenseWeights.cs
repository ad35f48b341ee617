using Pdp.Samples.Reports;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Comparison;

/// <summary>The weights of the dense run of the same seed, to be shown beside those of a pruned one.</summary>
/// <param name="Layers">The weights by layer; none where the dense run has left none that can be read.</param>
internal sealed record DenseWeights(IReadOnlyDictionary<string, float[]> Layers)
{
    /// <summary>The dense weights that belong to a run.</summary>
    public static DenseWeights Of(Result run)
    {
        var path = Path.Combine(run.Folder.DensePath, "weights.safetensors");
        try
        {
            return new(File.Exists(path) ? Load(path) : []);
        }
        catch (InvalidDataException)
        {
            // The header of the picture says that there are none.
            return new(new Dictionary<string, float[]>());
        }
    }

    private static Dictionary<string, float[]> Load(string path)
    {
        using var scope = NewDisposeScope();
        return Safetensors.Load(path)
            .Where(pair => pair.Value.dtype == ScalarType.Float32)
            .ToDictionary(pair => pair.Key, pair => pair.Value.data<float>().ToArray(), StringComparer.Ordinal);
    }

    /// <summary>How many of a layer's dense weights lie in each bin of a snapshot; null where there are none.</summary>
    public long[]? In(WeightSnapshot snapshot)
    {
        if (!Layers.TryGetValue(snapshot.Layer, out var weights))
        {
            return null;
        }

        var counts = new long[snapshot.Counts.Count];
        foreach (var weight in weights.Where(weight => Math.Abs(weight) <= snapshot.Range))
        {
            counts[Math.Min((int)((weight + snapshot.Range) / (2 * snapshot.Range) * counts.Length), counts.Length - 1)]++;
        }

        return counts;
    }
}
