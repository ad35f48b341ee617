namespace Pdp.Channels.Probing.Reading;

/// <summary>A kind of units in which channels may be removable that aren't one by one.</summary>
/// <param name="Of">A layout for a layer, given what is known of its readers; null if it has none.</param>
/// <param name="IsNeeded">Whether the readers, found with the layout, are such that smaller units won't do.</param>
internal sealed record LayoutProposal(Func<LayerFeed, ChannelLayout?> Of, Func<LayerFeed, bool> IsNeeded);
