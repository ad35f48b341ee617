using Pdp.Samples.Reports;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.Reports;

public sealed class FootprintTests
{
    [Fact]
    public void Of_ANetworkWithZeros_PacksEachTensorThatGetsSmaller()
    {
        using var scope = NewDisposeScope();
        using var model = nn.Linear(10, 8);
        using (no_grad())
        {
            model.weight.zero_();
            model.weight[0].fill_(1);
        }

        var size = Footprint.Of(model, macs: 80);

        // 80 bits and 10 numbers of the weight; the bias, without zeros, stays as it is.
        Assert.Equal(new Footprint(88, 70, 88 * 4, 10 + (10 * 4) + (8 * 4), 80), size);
    }
}
