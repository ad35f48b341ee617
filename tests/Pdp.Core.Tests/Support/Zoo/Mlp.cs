using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Linear layers, one of them with a batch-norm.</summary>
internal sealed class Mlp : ZooNet
{
    private readonly Linear linear1 = Linear(14, 24);
    private readonly Linear linear2 = Linear(24, 18);
    private readonly BatchNorm1d norm = BatchNorm1d(18);
    private readonly Linear linear3 = Linear(18, 5);

    public Mlp()
        : base(nameof(Mlp))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input)
    {
        var x = functional.relu(linear1.call(input));
        x = functional.relu(norm.call(linear2.call(x)));
        return linear3.call(x);
    }
}
