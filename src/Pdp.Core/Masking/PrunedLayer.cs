namespace Pdp.Masking;

/// <summary>What is pruned under one mask, and the rule that is for it.</summary>
internal sealed record PrunedLayer(MaskGroup Group, LayerRule? Rule)
{
    public PdpMask Mask => Group.Mask;
}
