using Pdp.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Baselines.Tests.Support;

/// <summary>
/// A network of which one channel carries the label, by small numbers, and the others noise, by large ones: pairs of examples differ in the
/// label alone.
/// </summary>
internal sealed class LabelNet : IDisposable
{
    private const int Examples = 16;

    private readonly Linear _last = Linear(3, 2);

    /// <param name="isBlind">Whether the classifier looks at nothing, so that the final loss doesn't depend on the features.</param>
    private LabelNet(bool isBlind)
    {
        var (first, middle) = (Linear(4, 4), Linear(4, 3));
        Tensors.Fill(first.weight!, [0.1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2]);
        Tensors.Fill(first.bias!, [0, 0, 0, 0]);
        Tensors.Fill(middle.weight!, [0.2, 0.02, 0.01, 0.02, -0.2, 0.01, 0.02, 0.01, 0.1, 0.02, 0.01, 0.01]);
        Tensors.Fill(middle.bias!, [0.1, 0.1, 0.1]);
        Tensors.Fill(_last.weight!, [2, -2, 0, -2, 2, 0]);
        Tensors.Fill(_last.bias!, [0, 0]);
        Model = Sequential(("first", first), ("relu", ReLU()), ("middle", middle), ("relu2", ReLU()), ("last", _last));
        Model.to(ScalarType.Float64);
        using var example = rand([2, 4], ScalarType.Float64);
        Map = ChannelMap.Find(Model, example).Without("middle.weight");
        if (isBlind)
            Tensors.Fill(_last.weight!, [0, 0, 0, 0, 0, 0]);
        foreach (var frozen in isBlind ? [_last.weight!, _last.bias!] : Array.Empty<Parameter>())
            frozen.requires_grad_(false);
    }

    public Sequential Model { get; }

    public ChannelMap Map { get; }

    /// <summary>The channel that a method keeps of the four.</summary>
    public static int[] KeptBy(Func<LabelNet, IPruningMethod> method, bool isBlind = false)
    {
        using var net = new LabelNet(isBlind);
        using var pruner = new PdpPruner(net.Model, new()
        {
            Method = method(net),
            Strategy = new PerChannel(),
            Channels = net.Map,
            Sparsity = 0.75,
            Allocation = new UniformSparsity(),
            Schedule = new ConstantSparsity(),
            Epochs = 10,
        });
        pruner.BeginEpoch(0);
        using var _ = no_grad();
        using var mask = pruner.Mask();
        return [.. net.Model.parameters()
            .First().Values().Chunk(4).Index().Where(row => row.Item.Any(value => value != 0)).Select(row => row.Index)];
    }

    public (Tensor Outputs, Tensor Labels) Forward(int batch)
    {
        var noise = Tensors.Normal(batch, 3 * Examples / 2).Chunk(3).ToArray();
        double[] numbers = [.. Enumerable.Range(0, Examples).SelectMany(i => noise[i / 2].Prepend(i % 2))];
        long[] labels = [.. Enumerable.Range(0, Examples).Select(i => i % 2L)];
        return (Model.call(Tensors.Of(numbers, [Examples, 4])), tensor(labels));
    }

    public void Dispose() => Model.Dispose();
}
