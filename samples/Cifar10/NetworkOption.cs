namespace Pdp.Samples.Cifar10;

/// <summary>The values of <c>--width</c> and <c>--side</c>.</summary>
internal static class NetworkOption
{
    /// <summary>The help of <c>--width</c>.</summary>
    public const string WidthText = "Channels of the network's first stage; the other stages have twice and four times as many.";

    /// <summary>The help of <c>--side</c>.</summary>
    public const string SideText =
        "Side in pixels to which the pictures are shrunk before the network sees them: 4, 8, 16 or 32. Half the side is a "
            + "quarter of the multiplications.";

    /// <summary>The width itself, if it is possible.</summary>
    /// <exception cref="ArgumentException">It isn't.</exception>
    public static int Width(int value) =>
        value % 2 == 0 ? value : throw new ArgumentException($"Must be even, for the shortcuts, not {value}.");

    /// <summary>The side itself, if it is possible.</summary>
    /// <exception cref="ArgumentException">It isn't.</exception>
    public static int Side(int value) =>
        ImageSet.Side % value == 0 ? value : throw new ArgumentException($"Must be 4, 8, 16 or 32, not {value}.");
}
