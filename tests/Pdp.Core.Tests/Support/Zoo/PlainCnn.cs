using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Convolutions with biases and no batch-norm, flattened into two linear layers.</summary>
internal sealed class PlainCnn : ZooNet
{
    private readonly Conv2d conv1 = Conv2d(3, 8, 3, padding: 1);
    private readonly Conv2d conv2 = Conv2d(8, 12, 3, padding: 1);
    private readonly Linear linear1 = Linear(12 * 4 * 4, 20);
    private readonly Linear linear2 = Linear(20, 5);

    public PlainCnn()
        : base(nameof(PlainCnn))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input)
    {
        var x = functional.max_pool2d(functional.relu(conv1.call(input)), 2);
        x = functional.max_pool2d(functional.relu(conv2.call(x)), 2);
        return linear2.call(functional.relu(linear1.call(x.flatten(1))));
    }
}
