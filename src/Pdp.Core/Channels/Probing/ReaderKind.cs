namespace Pdp.Channels.Probing;

/// <summary>What the slices of a reader are.</summary>
internal enum ReaderKind
{
    Inputs,
    Gates,
    Elements,
    Bare,
}
