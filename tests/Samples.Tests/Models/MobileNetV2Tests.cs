using Pdp.Samples.Models;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.Models;

public sealed class MobileNetV2Tests
{
    [Fact]
    public void Classifier_WhenNew_IsSmallAndWithoutBias()
    {
        using var model = new MobileNetV2();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var state = model.state_dict();

        // The standard error of the deviation of 1,280,000 numbers is 0.6 millionths.
        Assert.Equal(0.01, state["classifier.1.weight"].std(unbiased: true).ReadCpuSingle(0), 1e-4);
        Assert.Equal(0, state["classifier.1.bias"].count_nonzero().ReadCpuInt64(0));
    }
}
