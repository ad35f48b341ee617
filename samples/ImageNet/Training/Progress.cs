using Pdp.Samples.ImageNet.Reporting;

namespace Pdp.Samples.ImageNet.Training;

/// <summary>How far a run is.</summary>
/// <param name="Epoch">The epochs that are over, with their accuracy measured.</param>
/// <param name="Step">The steps taken in the epoch after them.</param>
/// <param name="LossSum">The sum of the losses of these steps.</param>
/// <param name="Seconds">What these steps took.</param>
/// <param name="History">The results of each epoch.</param>
internal sealed record Progress(int Epoch, int Step, double LossSum, double Seconds, IReadOnlyList<EpochMetrics> History)
{
    /// <summary>Before the first step.</summary>
    public static Progress Start { get; } = new(0, 0, 0, 0, []);

    /// <summary>The mean loss of the steps taken in this epoch.</summary>
    public double Loss => LossSum / Step;

    /// <summary>The start of the next epoch.</summary>
    public Progress Next(EpochMetrics metrics) => new(Epoch + 1, 0, 0, 0, [.. History, metrics]);
}
