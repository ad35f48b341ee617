namespace Pdp.Masking;

/// <summary>A group under one mask, and the rule that applies to it.</summary>
internal sealed record PrunedLayer(MaskGroup Group, LayerRule? Rule)
{
    public PdpMask Mask => Group.Mask;
}
