using Pdp.Sparse.Folding;
using Pdp.Sparse.Kernels;
using Pdp.Sparse.Layers;

namespace Pdp.Sparse.Packing;

/// <summary>A layer and the form that it is to have.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Fold">What is folded into it.</param>
/// <param name="Form">The kind of form; not the layer's own code.</param>
/// <param name="Product">The form.</param>
internal sealed record SettledLayer(Layer Layer, LayerFold Fold, LayerForm Form, ISparseProduct Product);
