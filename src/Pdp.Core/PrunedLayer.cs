using Pdp.Selection;

namespace Pdp;

/// <summary>A weight that is pruned, and the rule that is for it.</summary>
internal sealed record PrunedLayer(MaskedWeight Weight, LayerRule? Rule)
{
    public PdpMask Mask => Weight.Mask;
}
