using Pdp.Samples.Models;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.Models;

public sealed class MobileNetV2Tests
{
    [Fact]
    public void Classifier_WhenNew_IsSmallAndWithoutBias()
    {
        manual_seed(1);
        using var model = new MobileNetV2();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var state = model.state_dict();

        // Five times its standard error, which is 6.25 millionths: the size over √(2n), of n = 1,280,000 numbers.
        Assert.Equal(0.01, state["classifier.1.weight"].std(unbiased: true).ReadCpuSingle(0), 5 * 0.01 / Math.Sqrt(2 * 1_280_000));
        Assert.Equal(0, state["classifier.1.bias"].count_nonzero().ReadCpuInt64(0));
    }
}
