using Pdp.Tests.Support;
using TorchSharp.Modules;

namespace Pdp.Baselines.Tests.Support;

/// <summary>The scores of a scene under a method that learns some.</summary>
internal static class Scores
{
    public static Parameter ScoreOf(this Scene scene, string layer) =>
        scene.Pruner.Parameters.Single(pair => pair.Name == $"{layer}.score").Parameter;

    /// <summary>Fills all scores with float32 normal numbers, the same in every run; gives them by layer.</summary>
    public static Dictionary<string, double[]> FillScores(this Scene scene, int seed)
    {
        foreach (var (layer, index) in scene.Layers.Select((layer, index) => (layer, index)))
            Tensors.Fill(scene.ScoreOf(layer), Tensors.Normal(seed + (100 * index), scene.ScoreOf(layer).numel()));
        return scene.Layers.ToDictionary(layer => layer, layer => scene.ScoreOf(layer).Values());
    }

    /// <summary>The gradient of a score.</summary>
    public static double[] ScoreGradient(this Scene scene, string layer)
    {
        using var gradient = scene.ScoreOf(layer).grad!;
        return gradient.Values();
    }

    /// <summary>Checks that one backward pass gives ∂L/∂w = g·M and ∂L/∂θ = g·w, and that a second one adds up.</summary>
    public static void HasTheGradientsOfScores(this Scene scene)
    {
        var pass = scene.Pass();
        foreach (var layer in scene.Layers)
        {
            var (masked, gradient) = pass[layer];
            var (upstream, weights) = (scene.Upstream(layer), scene[layer]);
            Assert.InRange(masked.Count(w => w == 0), 1, masked.Length - 1);
            Assert.Equal(upstream.Zip(masked, (g, w) => w == 0 ? 0 : g), gradient);
            Assert.Equal(upstream.Zip(weights, (g, w) => (double)((float)g * (float)w)), scene.ScoreGradient(layer));
        }

        scene.Pass();
        Assert.All(scene.Layers, layer => Assert.Equal(
            scene.Upstream(layer).Zip(scene[layer], (g, w) => 2.0 * ((float)g * (float)w)), scene.ScoreGradient(layer)));
    }
}
