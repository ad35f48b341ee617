using MathNet.Numerics.RootFinding;

namespace Pdp.Allocation;

/// <summary>Turns ideal counts that depend on a single parameter, the dial, into exact ones.</summary>
internal static class Proportional
{
    /// <summary>
    /// Finds the dial at which the ideal counts, each held within its layer's bounds, add up to the total, and rounds them.
    /// </summary>
    /// <param name="layers">The layers with their bounds.</param>
    /// <param name="remove">The total.</param>
    /// <param name="ideal">The ideal count of a layer at a dial, without bounds; non-decreasing in the dial.</param>
    /// <param name="from">A dial at which the sum is at most the total.</param>
    /// <param name="to">A dial at which the sum is at least the total.</param>
    public static long[] Allocate(
        IReadOnlyList<AllocationLayer> layers, long remove, Func<AllocationLayer, double, double> ideal, double from, double to)
    {
        double Bounded(AllocationLayer layer, double dial) => Math.Clamp(ideal(layer, dial), layer.Minimum, layer.Maximum);
        double Excess(double dial) => layers.Sum(layer => Bounded(layer, dial)) - remove;

        var dial = Excess(from) >= 0 ? from : Excess(to) <= 0 ? to : Brent.FindRoot(Excess, from, to, accuracy: 1e-12, maxIterations: 1000);
        return Round(layers, [.. layers.Select(layer => Bounded(layer, dial))], remove);
    }

    /// <summary>
    /// Rounds ideal counts to whole ones that add up to the total, the largest remainders first, earlier layers first among equals.
    /// </summary>
    public static long[] Round(IReadOnlyList<AllocationLayer> layers, double[] ideal, long remove)
    {
        var counts = layers.Select((layer, i) => Math.Clamp((long)Math.Floor(ideal[i]), layer.Minimum, layer.Maximum)).ToArray();
        var order = Enumerable.Range(0, counts.Length).OrderByDescending(i => ideal[i] - counts[i]).ToArray();
        for (var open = remove - counts.Sum(); open != 0; open = remove - counts.Sum())
            Step(layers, counts, open > 0 ? order : [.. order.Reverse()], open);
        return counts;
    }

    /// <summary>Moves counts by one towards the total, one layer after the other, until it is met or each layer has had its turn.</summary>
    private static void Step(IReadOnlyList<AllocationLayer> layers, long[] counts, int[] order, long open)
    {
        foreach (var i in order.Where(i => open > 0 ? counts[i] < layers[i].Maximum : counts[i] > layers[i].Minimum)
            .Take((int)Math.Min(Math.Abs(open), int.MaxValue))
            .ToArray())
            counts[i] += Math.Sign(open);
    }
}
