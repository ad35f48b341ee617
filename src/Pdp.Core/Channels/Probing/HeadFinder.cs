namespace Pdp.Channels.Probing;

/// <summary>Finds attention built from linear layers, whose heads can only be removed whole, with their queries and keys.</summary>
/// <remarks>
/// The values of a head are mixed over positions with weights computed from its queries and keys. If all values of a head are zero, the
/// output doesn't depend on these weights, and the gradients of its queries and keys are exactly zero. With a single nonzero value, the
/// nonzero gradients therefore show which head it belongs to.
/// </remarks>
internal sealed class HeadFinder(IReadOnlyList<LayerFeed> feeds, ProbeState state, ProbePass pass)
{
    private readonly LayerFeed[] _unread = [.. feeds.Where(feed => feed.IsUnread && feed.Layer.ConnectionGroups == 1 && feed.Units > 1)];

    /// <summary>The group of heads for a group of value channels; null if these aren't the values of several heads.</summary>
    public ChannelGroup? Find(ChannelGroup values)
    {
        if (_unread.Length == 0 || FeedsOf(values) is not [{ Layer: var layer }])
            return null;

        state.Zero((other, channel) => other == layer && channel > 0);
        pass.Run();
        var scores = _unread.Where(feed => feed.Layer != layer)
            .Select(feed => (feed.Layer, Rows: RowsOf(feed.Layer))).Where(found => found.Rows > 0).ToArray();
        if (scores.Length == 0)
            return null;

        var heads = scores[0].Layer.Outputs / scores[0].Rows;
        return values.Channels % heads == 0 && scores.All(found => found.Rows * heads == found.Layer.Outputs)
            ? GroupOf(values, heads, scores.Select(found => found.Layer))
            : null;
    }

    private LayerFeed[] FeedsOf(ChannelGroup values) =>
        [.. feeds.Where(feed => values.Of(ChannelRole.Filter).Any(slice => slice.Name == feed.Layer.WeightName))];

    /// <summary>The number of a layer's outputs that have a gradient, if these are the first ones and not all; else 0.</summary>
    private static long RowsOf(ProbedLayer layer)
    {
        var magnitudes = Reader.OfGates(layer).Magnitudes();
        var rows = magnitudes.TakeWhile(row => row != 0).Count();
        return rows < magnitudes.Length && magnitudes.Skip(rows).All(row => row == 0) ? rows : 0;
    }

    private static ChannelGroup GroupOf(ChannelGroup values, long heads, IEnumerable<ProbedLayer> scores)
    {
        var width = values.Channels / heads;
        return new(values.Name, heads,
        [
            .. scores.SelectMany(layer => GroupBuilder.MadeBy(layer, heads, ChannelRole.Filter, ChannelRole.Bias)),
            .. values.Slices.Select(slice => slice with { Block = slice.Block * width }),
        ]);
    }
}
