using Pdp.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Baselines.Tests.Support;

/// <summary>Convolutions with norms and a residual add: one group of conv1 and conv3, one of conv2. Numbers as if trained.</summary>
internal sealed class ResidualNet : Module<Tensor, Tensor>
{
    private static readonly Scalar One = 1.0;

    public readonly Conv2d conv1 = Conv2d(3, 8, 3, padding: 1, bias: false);
    public readonly BatchNorm2d bn1 = BatchNorm2d(8);
    public readonly Conv2d conv2 = Conv2d(8, 12, 3, padding: 1, bias: false);
    public readonly BatchNorm2d bn2 = BatchNorm2d(12);
    public readonly Conv2d conv3 = Conv2d(12, 8, 3, padding: 1, bias: false);
    public readonly BatchNorm2d bn3 = BatchNorm2d(8);
    public readonly Linear fc = Linear(8, 4);

    public ResidualNet(int seed = 0, ScalarType type = ScalarType.Float32)
        : base(nameof(ResidualNet))
    {
        RegisterComponents();
        foreach (var norm in modules().OfType<BatchNorm2d>())
            norm.num_batches_tracked = null;
        foreach (var (name, parameter) in named_parameters())
            Tensors.Fill(parameter, Tensors.Normal(++seed, parameter.numel(), parameter.dim() > 1 ? 0.3 : 0.5));
        this.to(type);
    }

    public static Tensor Batch(int seed = 0, int size = 4, ScalarType type = ScalarType.Float32) =>
        Tensors.Of(Tensors.Normal(100 + seed, size * 3 * 36), [size, 3, 6, 6], type);

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = functional.relu(bn1.call(conv1.call(input)));
        var inner = functional.relu(bn2.call(conv2.call(x)));
        x = functional.relu(bn3.call(conv3.call(inner)).add(x, One));
        return fc.call(functional.adaptive_avg_pool2d(x, 1).flatten(1)).MoveToOuterDisposeScope();
    }
}
