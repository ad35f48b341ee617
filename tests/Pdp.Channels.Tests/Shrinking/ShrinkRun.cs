using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Channels.Shrinking;

/// <summary>A network of the zoo, pruned to half of its channels and committed.</summary>
internal sealed class ShrinkRun : IDisposable
{
    public ShrinkRun(string name, ScalarType type, IMaskStrategy? strategy = null, IReadOnlyList<LayerMatch>? exclude = null)
        : this(name, type, map => map, strategy, exclude)
    {
    }

    public ShrinkRun(
        string name,
        ScalarType type,
        Func<ChannelMap, ChannelMap> change,
        IMaskStrategy? strategy = null,
        IReadOnlyList<LayerMatch>? exclude = null)
    {
        var zoo = Zoo.Get(name);
        Model = zoo.Make(type: type);
        Example = zoo.Batch(type: type);
        Pruner = new(Model, OptionsFor(change(MapOf(zoo, type)), strategy) with { Exclude = exclude ?? [] });
        Pruner.BeginEpoch(0);
        Pruner.Commit();
    }

    public Module<Tensor, Tensor> Model { get; }

    public Tensor Example { get; }

    public PdpPruner Pruner { get; }

    public static PdpOptions OptionsFor(ChannelMap? map, IMaskStrategy? strategy = null) => new()
    {
        Epochs = 1,
        Sparsity = 0.5,
        Strategy = strategy ?? new PerChannel(),
        Channels = map,
        Schedule = new ConstantSparsity(),
        Allocation = new UniformSparsity(),
    };

    public double[] Output(Module<Tensor, Tensor>? model = null)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return (model ?? Model).call(Example).Values();
    }

    public void Dispose()
    {
        Pruner.Dispose();
        Example.Dispose();
        Model.Dispose();
    }

    private ChannelMap MapOf(ZooModel zoo, ScalarType type)
    {
        if (type == ScalarType.Float32)
            return ZooMaps.Of(zoo.Name);
        using var single = zoo.Batch(size: 1, type: type);
        return ChannelMap.Find(Model, single);
    }
}
