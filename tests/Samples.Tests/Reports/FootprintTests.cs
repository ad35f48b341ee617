using Pdp.Samples.Reports;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.Reports;

public sealed class FootprintTests
{
    [Fact]
    public void Of_ANetworkWithZeros_HasTheBytesOfASparseFile()
    {
        using var scope = NewDisposeScope();
        using var model = nn.Linear(100, 8);
        using (no_grad())
        {
            model.weight.zero_();
            model.weight[0].fill_(1);
        }

        var size = Footprint.Of(model, macs: 80);

        // 100 numbers of the weight, their places in 25 bytes of quotients and 3 planes of 13 bytes; the bias stays as it is.
        Assert.Equal(new Footprint(808, 700, 808 * 4, (100 * 4) + 25 + (3 * 13) + (8 * 4), 80), size);
    }
}
