namespace Pdp.Samples.ImageNet.Training;

/// <summary>The fractions of pictures whose class is the network's first guess, and among its first five.</summary>
internal readonly record struct Accuracy(double Top1, double Top5)
{
    public override string ToString() => FormattableString.Invariant($"top-1 {Top1:P2}, top-5 {Top5:P2}");
}
