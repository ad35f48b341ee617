using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Group-norm takes its mean from several channels, so that only whole groups of them can be removed.</summary>
internal sealed class GroupNormNet : ZooNet
{
    private readonly Conv2d conv1 = Conv2d(3, 12, 3, padding: 1);
    private readonly GroupNorm norm = GroupNorm(3, 12);
    private readonly Conv2d conv2 = Conv2d(12, 10, 3, padding: 1);
    private readonly Linear fc = Linear(10, 5);

    public GroupNormNet()
        : base(nameof(GroupNormNet))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input)
    {
        var x = functional.relu(norm.call(conv1.call(input)));
        x = functional.relu(conv2.call(x));
        return fc.call(functional.adaptive_avg_pool2d(x, 1).flatten(1));
    }
}
