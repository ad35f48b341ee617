namespace Pdp.Tests.Support;

/// <summary>Masks that have reached their target.</summary>
internal static class Making
{
    /// <summary>A temperature at which masks of weights about 1 are 0 or 1: the limit τ → 0.</summary>
    public static Temperature Sharp { get; } = Temperature.Absolute(1e-8);

    public static PdpMask Mask(IMaskStrategy strategy, long[] shape, long removed, Temperature temperature) =>
        Mask(strategy, new WeightLayout(shape), removed, temperature);

    public static PdpMask Mask(IMaskStrategy strategy, WeightLayout layout, long removed, Temperature temperature)
    {
        var mask = new PdpMask("weight", layout, strategy, temperature, removed);
        mask.Advance(1, 0);
        return mask;
    }
}
