using Pdp.Sparse.Folding;
using Pdp.Sparse.Kernels;
using Pdp.Sparse.Layers;
using static TorchSharp.torch;

namespace Pdp.Sparse.Packing;

/// <summary>Makes the forms that layers compute with.</summary>
internal static class LayerForms
{
    /// <summary>Makes a form other than the layer's own code; the caller's.</summary>
    public static ISparseProduct Make(Layer layer, LayerFold fold, LayerForm form)
    {
        if (form != LayerForm.Packed)
            return new DenseForm(layer, fold, form == LayerForm.ChannelsLast);
        using var scope = NewDisposeScope();
        using var normal = inference_mode(false);
        using var _ = no_grad();
        var (weight, bias) = fold.Apply(layer.Weight, layer.Bias);
        return layer.Pack(weight, new(bias, fold.Kind));
    }
}
