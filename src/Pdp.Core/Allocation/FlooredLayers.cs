namespace Pdp.Allocation;

/// <summary>Lowers what layers may lose, so that each keeps a share of the average density.</summary>
internal static class FlooredLayers
{
    private const double Rounding = 1e-9;

    /// <summary>Halvings after which two floors in [0, 1] are the same number.</summary>
    private const int Halvings = 60;

    /// <summary>The layers with the maximum that the floor leaves them, or else the largest floor at which the total can be met.</summary>
    /// <param name="layers">The layers with their bounds, which allow the total.</param>
    /// <param name="remove">The total number of weights to be removed.</param>
    /// <param name="floor">The least density of a layer relative to the average, in [0, 1].</param>
    public static IReadOnlyList<AllocationLayer> Of(IReadOnlyList<AllocationLayer> layers, long remove, double floor)
    {
        var all = layers.Sum(layer => layer.Layout.Elements);
        var density = (all - remove) / (double)all;

        long Most(AllocationLayer layer, double share) => Math.Clamp(
            layer.Layout.Elements - (long)Math.Ceiling((share * density * layer.Layout.Elements) - Rounding), layer.Minimum, layer.Maximum);
        bool IsMet(double share) => layers.Sum(layer => Most(layer, share)) >= remove;

        var possible = IsMet(floor) ? floor : Largest(IsMet, floor);
        return [.. layers.Select(layer => layer with { Maximum = Most(layer, possible) })];
    }

    /// <summary>The largest floor that is possible, between 0, which is, and one that isn't.</summary>
    private static double Largest(Func<double, bool> isPossible, double high)
    {
        var low = 0.0;
        for (var i = 0; i < Halvings; i++)
        {
            var middle = (low + high) / 2;
            (low, high) = isPossible(middle) ? (middle, high) : (low, middle);
        }

        return low;
    }
}
