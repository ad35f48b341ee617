using Pdp.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Masking;

/// <summary>A network whose two convolutions make the same channels, and a pruner for it.</summary>
internal static class TwoMakersRun
{
    public const double Ratio = 0.7;

    private static readonly Lazy<ChannelMap> Found = new(Find);

    public static PdpOptions OptionsFor(ChannelMap map) => new()
    {
        Epochs = 1,
        Sparsity = 0.5,
        Strategy = new PerChannel(),
        Channels = map,
        Schedule = new ConstantSparsity(),
        Temperature = Temperature.Relative(Ratio),
        Allocation = new UniformSparsity(),
    };

    public static PdpPruner Begun(TwoMakers model, bool masksFilters = false)
    {
        var group = TwoMakers.Map.Groups.Single();
        Assert.True(group.IsNormalized);
        var pruner = new PdpPruner(model, OptionsFor(TwoMakers.Map.With(group with { IsNormalized = !masksFilters })));
        pruner.BeginEpoch(0);
        return pruner;
    }

    private static ChannelMap Find()
    {
        using var model = new TwoMakers(ScalarType.Float32);
        using var input = ones(2, 3);
        return ChannelMap.Find(model, input);
    }

    /// <summary>
    /// Two linear layers that are added up, a norm, and a reader; leaky, as a rectifier stops gradients of silent channels by itself.
    /// </summary>
    public sealed class TwoMakers : Module<Tensor, Tensor>
    {
        public readonly Linear a = Linear(3, 6);
        public readonly Linear b = Linear(3, 6);
        public readonly BatchNorm1d norm = BatchNorm1d(6);
        public readonly Linear last = Linear(6, 2);

        public TwoMakers(ScalarType type)
            : base(nameof(TwoMakers))
        {
            RegisterComponents();
            norm.num_batches_tracked = null;
            using var _ = no_grad();
            foreach (var (parameter, i) in parameters().Select((parameter, i) => (parameter, i)))
                parameter.copy_(Tensors.Of(Tensors.Normal(20 + i, (int)parameter.numel()), parameter.shape));
            this.to(type);
        }

        public static ChannelMap Map => Found.Value;

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            return last.call(functional.leaky_relu(norm.call(a.call(input) + b.call(input)), 0.1)).MoveToOuterDisposeScope();
        }
    }
}
