namespace Pdp.Masking;

/// <summary>What is pruned under one mask, and the rule that is for it.</summary>
internal sealed record PrunedLayer(IMaskedWeight Weight, LayerRule? Rule)
{
    public PdpMask Mask => Weight.Mask;
}
