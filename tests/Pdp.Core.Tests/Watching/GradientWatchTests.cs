using Pdp.Masking;
using Pdp.Watching;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Tests.Watching;

public sealed class GradientWatchTests
{
    [Theory]
    [InlineData(1 << 22, true)]
    [InlineData((1 << 22) + 1, false)]
    public void Among_OneWeight_WatchesItUpToASize(long elements, bool isWatched)
    {
        using var scope = NewDisposeScope();
        var mask = new PdpMask("w", new WeightLayout([1, elements]), new Unstructured(), Temperature.Relative(1));
        using var group = new MaskGroup(mask, new GroupSlices(mask, new Parameter(zeros(1, elements))));

        using var watch = GradientWatch.Among([group]).Single();

        Assert.Equal(isWatched, watch is not null);
    }
}
