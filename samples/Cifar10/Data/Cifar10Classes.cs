namespace Pdp.Samples.Cifar10;

/// <summary>The ten classes in their official order, which is also the alphabetical one.</summary>
internal static class Cifar10Classes
{
    public static IReadOnlyList<string> Names { get; } =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
}
