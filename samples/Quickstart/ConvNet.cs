using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Quickstart;

/// <summary>Four convolutions, each with batch-norm and ReLU, and a linear classifier: 98,192 weights that can be pruned.</summary>
internal sealed class ConvNet : Module<Tensor, Tensor>
{
    private readonly Conv2d conv1 = Conv2d(1, 16, 3, stride: 2, padding: 1, bias: false);
    private readonly Conv2d conv2 = Conv2d(16, 32, 3, stride: 2, padding: 1, bias: false);
    private readonly Conv2d conv3 = Conv2d(32, 64, 3, padding: 1, bias: false);
    private readonly Conv2d conv4 = Conv2d(64, 128, 3, stride: 2, padding: 1, bias: false);
    private readonly BatchNorm2d bn1 = BatchNorm2d(16);
    private readonly BatchNorm2d bn2 = BatchNorm2d(32);
    private readonly BatchNorm2d bn3 = BatchNorm2d(64);
    private readonly BatchNorm2d bn4 = BatchNorm2d(128);
    private readonly Linear classifier = Linear(128, 10);

    public ConvNet()
        : base(nameof(ConvNet))
    {
        RegisterComponents();
        foreach (var norm in modules().OfType<BatchNorm2d>())
        {
            // Counting batches serves cumulative averages only, and TorchSharp 0.107 counts with a Scalar that the
            // garbage collector may free while it is read.
            norm.num_batches_tracked = null;
        }
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = functional.relu(bn1.call(conv1.call(input)), inplace: true);
        x = functional.relu(bn2.call(conv2.call(x)), inplace: true);
        x = functional.relu(bn3.call(conv3.call(x)), inplace: true);
        x = functional.relu(bn4.call(conv4.call(x)), inplace: true);
        x = functional.adaptive_avg_pool2d(x, 1).flatten(1);
        return classifier.call(x).MoveToOuterDisposeScope();
    }
}
