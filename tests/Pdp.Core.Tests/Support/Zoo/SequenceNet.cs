using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>One-dimensional convolutions, as on sound.</summary>
internal sealed class SequenceNet : ZooNet
{
    private readonly Conv1d conv1 = Conv1d(2, 8, 5, padding: 2, bias: false);
    private readonly BatchNorm1d bn1 = BatchNorm1d(8);
    private readonly ConvTranspose1d up = ConvTranspose1d(8, 10, 2, stride: 2);
    private readonly Conv1d conv2 = Conv1d(10, 12, 3, stride: 2, padding: 1);
    private readonly Linear fc = Linear(12, 5);

    public SequenceNet()
        : base(nameof(SequenceNet))
    {
        RegisterComponents();
    }

    protected override Tensor Pass(Tensor input)
    {
        var x = functional.relu(bn1.call(conv1.call(input)));
        x = functional.relu(conv2.call(functional.relu(up.call(x))));
        return fc.call(functional.adaptive_avg_pool1d(x, 1).flatten(1));
    }
}
