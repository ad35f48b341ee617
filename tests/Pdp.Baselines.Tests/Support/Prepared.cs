using static TorchSharp.torch;

namespace Pdp.Baselines.Tests.Support;

/// <summary>A method whose weights are written first, as a checkpoint that is loaded before the pruner is made.</summary>
internal sealed class Prepared(IPruningMethod method, Action<MethodLayer> prepare) : IPruningMethod
{
    public string Name => method.Name;

    /// <summary>A pattern lock on weights of which a share, the smallest of each layer, is zero.</summary>
    public static PdpOptions Lock(double sparsity) => new()
    {
        Method = new Prepared(new PatternLock(), layer => Thin(layer, sparsity)),
        Epochs = 10,
    };

    public PdpOptions Configure(PdpOptions options) => method.Configure(options);

    public IMethodRun Attach(IReadOnlyList<MethodLayer> layers)
    {
        foreach (var layer in layers)
            prepare(layer);
        return method.Attach(layers);
    }

    /// <summary>Writes zeros into the smallest weights.</summary>
    public static void Thin(MethodLayer layer, double sparsity)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        layer.Remove((long)(sparsity * layer.Mask.Members));
        layer.Weight!.mul_(layer.Mask.Kept(layer.Weight!));
    }
}
