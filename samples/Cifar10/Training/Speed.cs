using System.Diagnostics;
using static TorchSharp.torch;

namespace Pdp.Samples.Cifar10;

/// <summary>Times two networks against each other.</summary>
internal static class Speed
{
    private const int Runs = 15;

    /// <summary>The median time of a network's forward pass over that of another, taken in turns.</summary>
    public static double Ratio(ResNet20 slow, ResNet20 fast, Tensor pictures)
    {
        slow.eval();
        fast.eval();
        Time(slow, pictures);
        Time(fast, pictures);
        var times = Enumerable.Range(0, Runs).Select(_ => (Slow: Time(slow, pictures), Fast: Time(fast, pictures))).ToArray();
        return Median(times.Select(pair => pair.Slow)) / Median(times.Select(pair => pair.Fast));
    }

    private static double Time(ResNet20 model, Tensor pictures)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var clock = Stopwatch.StartNew();
        model.call(pictures);
        return clock.Elapsed.TotalSeconds;
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(Runs / 2);
}
