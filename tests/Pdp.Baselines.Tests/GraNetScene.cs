using Pdp.Baselines.Tests.Support;

namespace Pdp.Baselines.Tests;

/// <summary>What the tests of GraNet look at: the active weights of a scene, and how they are expected to move.</summary>
internal static class GraNetScene
{
    public static PdpOptions OptionsFor(GraNet method, ISparsityScheduler schedule) =>
        Scene.Options(method, 0.6) with { Schedule = schedule };

    public static Scene New(ISparsityScheduler schedule) => new(OptionsFor(new GraNet { Interval = 0 }, schedule));

    /// <summary>Begins epochs, with a step in each.</summary>
    public static void Begin(Scene scene, params double[] epochs)
    {
        foreach (var epoch in epochs)
        {
            scene.Pruner.BeginEpoch(epoch);
            scene.Pass();
        }
    }

    /// <summary>The weights of each layer that get a gradient, as active weights that are new are zero.</summary>
    public static Dictionary<string, HashSet<int>> Active(Scene scene, int seed = 7) => scene.Pass(seed).ToDictionary(
        pair => pair.Key, pair =>
            pair.Value.Gradient.Index().Where(gradient => gradient.Item != 0).Select(gradient => gradient.Index).ToHashSet());

    /// <summary>The second stage by sorting.</summary>
    public static IEnumerable<int> Regenerated(HashSet<int> active, double[] weights, double[] gradients, double share)
    {
        var remaining = active.OrderBy(index => Math.Abs(weights[index])).Skip((int)(share * active.Count)).ToHashSet();
        var grown = Enumerable.Range(0, weights.Length)
            .Except(remaining).OrderByDescending(index => Math.Abs(gradients[index])).Take(active.Count - remaining.Count);
        return remaining.Union(grown);
    }

    /// <summary>As momentum and decay do, this moves weights that get no gradient.</summary>
    public static void Disturb(Scene scene)
    {
        foreach (var layer in scene.Layers)
            scene.Fill(layer, [.. scene[layer].Select((w, index) => (0.99 * w) + (0.03 * Math.Sin(1 + index)))]);
    }
}
