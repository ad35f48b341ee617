using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>A residual block whose 3×3 convolution has four groups, as in ResNeXt (Xie et al. 2017).</summary>
internal sealed class GroupedNet : ZooNet
{
    private readonly Conv2d conv1 = Conv2d(3, 12, 3, padding: 1, bias: false);
    private readonly BatchNorm2d bn1 = BatchNorm2d(12);
    private readonly Conv2d narrow = Conv2d(12, 16, 1, bias: false);
    private readonly BatchNorm2d narrowNorm = BatchNorm2d(16);
    private readonly Conv2d grouped = Conv2d(16, 24, 3, padding: 1, groups: 4, bias: false);
    private readonly BatchNorm2d groupedNorm = BatchNorm2d(24);
    private readonly Conv2d widen = Conv2d(24, 12, 1, bias: false);
    private readonly BatchNorm2d widenNorm = BatchNorm2d(12);
    private readonly Linear fc = Linear(12, 5);

    public GroupedNet()
        : base(nameof(GroupedNet))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input)
    {
        var shortcut = functional.relu(bn1.call(conv1.call(input)));
        var x = functional.relu(narrowNorm.call(narrow.call(shortcut)));
        x = functional.relu(groupedNorm.call(grouped.call(x)));
        x = functional.relu(widenNorm.call(widen.call(x)).add_(shortcut, One));
        return fc.call(functional.adaptive_avg_pool2d(x, 1).flatten(1));
    }
}
