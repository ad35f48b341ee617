using Pdp.Channels.Cutting;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Shrinking;

/// <summary>Copies of all parameters and buffers of a model, to restore them.</summary>
internal sealed class ModelValues(Module model) : IDisposable
{
    private readonly (Tensor Tensor, Tensor Value)[] _values =
        [.. Surgery.TensorsOf(model).Values.Select(tensor => (tensor, CopyOf(tensor)))];

    /// <summary>Restores the values; the shapes must be unchanged.</summary>
    public void Restore()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var (tensor, value) in _values)
            tensor.copy_(value);
    }

    public void Dispose()
    {
        foreach (var (_, value) in _values)
            value.Dispose();
    }

    private static Tensor CopyOf(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return tensor.detach().clone().DetachFromDisposeScope();
    }
}
