using Pdp.Sparse.Packing;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse;

/// <summary>A model whose layers compute on their nonzeros, with the model's code unchanged, until it is unpacked.</summary>
public sealed class SparseModel : IDisposable
{
    private readonly List<PackedLayer> _packed;

    private SparseModel(List<PackedLayer> packed) => _packed = packed;

    /// <summary>Packs the layers of a model.</summary>
    /// <param name="model">The model, in evaluation mode.</param>
    /// <param name="example">An input of the model.</param>
    public static SparseModel Pack(Module<Tensor, Tensor> model, Tensor example)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(example);
        using var scope = NewDisposeScope();
        var packed = new List<PackedLayer>();
        foreach (var layer in Layer.Of(model).Where(layer => layer.Obstacle is null))
            packed.Add(PackedLayer.Of(layer));
        return new(packed);
    }

    /// <summary>Gives the model its dense weights back, bit for bit.</summary>
    public void Unpack()
    {
        foreach (var layer in _packed)
            layer.Dispose();
        _packed.Clear();
    }

    /// <summary>Unpacks the model.</summary>
    public void Dispose() => Unpack();
}
