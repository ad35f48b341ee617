using Pdp.Sparse.Folding;
using Pdp.Sparse.Layers;

namespace Pdp.Sparse.Packing;

/// <summary>A layer and the kind of form that it is to have.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Fold">What is folded into it.</param>
/// <param name="Form">The kind of form; not the layer's own code.</param>
internal sealed record ChosenLayer(Layer Layer, LayerFold Fold, LayerForm Form)
{
#pragma warning disable CA2000 // The settled layer holds the form.
    /// <summary>Makes the form of the weight that the layer has now.</summary>
    public SettledLayer Settle() => new(Layer, Fold, Form, LayerForms.Make(Layer, Fold, Form));
#pragma warning restore CA2000
}
