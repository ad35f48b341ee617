using Pdp.Sparse.Packing;

namespace Pdp.Sparse;

/// <summary>Records the forms that layers have.</summary>
internal static class PlanWriter
{
    /// <summary>The plan.</summary>
    public static SparsePlan Of(IEnumerable<PackedLayer> layers) => new([.. layers.Select(layer => new SparseLayerPlan
    {
        Name = layer.Layer.WeightName,
        Shape = layer.Layer.Weight.shape,
        Form = layer.Form,
        Norm = layer.Fold.Norm?.Name,
        Activation = layer.Fold.Activation?.Name,
    })]);
}
