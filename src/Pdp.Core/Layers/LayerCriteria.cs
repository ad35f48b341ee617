namespace Pdp.Layers;

/// <summary>What the options say about which weights are pruned, and how.</summary>
/// <param name="Include">The weights that may be pruned; if empty, those of layers that train.</param>
/// <param name="Exclude">The weights that stay dense.</param>
/// <param name="Rules">Overrides for some weights.</param>
/// <param name="Strategy">Who competes with whom where no rule says otherwise.</param>
/// <param name="Channels">Which channels belong together; null if each weight's channels are masked on their own.</param>
internal sealed record LayerCriteria(
    IReadOnlyList<LayerMatch> Include, IReadOnlyList<LayerMatch> Exclude, IReadOnlyList<LayerRule> Rules, IMaskStrategy Strategy,
    ChannelMap? Channels);
