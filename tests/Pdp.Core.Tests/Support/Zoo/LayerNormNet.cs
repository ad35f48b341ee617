using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Layer-norm takes its mean from all channels, removed ones among them.</summary>
internal sealed class LayerNormNet : ZooNet
{
    private readonly Linear linear1 = Linear(14, 16);
    private readonly LayerNorm norm = LayerNorm(16);
    private readonly Linear linear2 = Linear(16, 12);
    private readonly Linear linear3 = Linear(12, 5);

    public LayerNormNet()
        : base(nameof(LayerNormNet))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input)
    {
        var x = functional.relu(norm.call(linear1.call(input)));
        return linear3.call(functional.relu(linear2.call(x)));
    }
}
