using static TorchSharp.torch;

namespace Pdp.Tests.Support;

/// <summary>Sensitivities that don't depend on gradients: a function of the number of weights.</summary>
internal sealed class GivenImportance(Func<long, double[]> sensitivities) : IImportance
{
    public string Name => "given";

    /// <summary>The same for all weights.</summary>
    public static GivenImportance Of(double sensitivity) => new(count => [.. Enumerable.Repeat(sensitivity, (int)count)]);

    /// <summary>Other ones for each weight, in [0.5, 1.5).</summary>
    public static GivenImportance Random(int seed) => new(count => ValuesOf(seed, count));

    public static double[] ValuesOf(int seed, long count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, (int)count).Select(_ => 0.5 + random.NextDouble())];
    }

    public Tensor Update(Tensor? sensitivity, Tensor gradient, long gradients) =>
        Tensors.Of(sensitivities(gradient.numel()), gradient.shape, gradient.dtype);

    public string Describe() => Name;
}
