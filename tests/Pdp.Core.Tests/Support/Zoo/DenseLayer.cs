using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Batch-norm, ReLU and a convolution, whose channels are appended to the input's.</summary>
internal sealed class DenseLayer : ZooNet
{
    private readonly BatchNorm2d norm;
    private readonly Conv2d conv;

    public DenseLayer(int inputs, int growth)
        : base(nameof(DenseLayer))
    {
        norm = BatchNorm2d(inputs);
        conv = Conv2d(inputs, growth, 3, padding: 1, bias: false);
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input) => cat([input, conv.call(functional.relu(norm.call(input)))], 1);
}
