using Pdp.Samples.Reports;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.Reports;

public sealed class WeightSnapshotTests
{
    [Fact]
    public void Of_AWeight_CountsEachValueInItsBin()
    {
        using var weight = tensor([-2f, -2f, 0.01f, 2f, float.NaN]);

        var snapshot = WeightSnapshot.Of("layer", weight, 1, 0.5, 0.1);

        Assert.Equal(2, snapshot.Range);
        Assert.Equal((2, 1, 1), (snapshot.Counts[0], snapshot.Counts[snapshot.Counts.Count / 2], snapshot.Counts[^1]));
        Assert.Equal(4, snapshot.Counts.Sum());
    }

    [Fact]
    public void Of_ZerosAlone_CountsNothing()
    {
        using var weight = zeros(7);

        var snapshot = WeightSnapshot.Of("layer", weight, 1, null, null);

        Assert.Equal((0, 0), (snapshot.Range, snapshot.Counts.Sum()));
    }
}
