using Pdp.Channels.Probing.Reading;
using Pdp.Channels.Probing.Running;

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
    /// <remarks>If one layer makes values together with keys or queries, any of its parts may hold the values.</remarks>
    public ChannelGroup? Find(ChannelGroup values) =>
        FeedsOf(values) is [var feed] && (_unread.Length > 0 || feed.Layout.Parts > 1)
            ? Enumerable.Range(0, (int)feed.Layout.Parts).Select(part => Find(values, feed, part))
                .FirstOrDefault(heads => heads is not null)
            : null;

    private ChannelGroup? Find(ChannelGroup values, LayerFeed feed, int part)
    {
        var (layer, size) = (feed.Layer, feed.Layer.Outputs / feed.Layout.Parts);
        state.Zero((other, channel) => other == layer && channel / size == part && channel % size > 0);
        pass.Run();
        var beside = RowsOf(layer).Chunk((int)size).Where((_, other) => other != part).Select(rows => (Size: size, Rows: Leading(rows)))
            .ToArray();
        var others = _unread.Where(unread => unread.Layer != layer)
            .Select(unread => (unread.Layer, Size: unread.Layer.Outputs, Rows: Leading(RowsOf(unread.Layer))))
            .Where(found => found.Rows > 0).ToArray();
        (long Size, int Rows)[] scores = [.. beside, .. others.Select(other => (other.Size, other.Rows))];
        if (scores.Length == 0 || scores.Any(found => found.Rows == 0))
            return null;

        var heads = scores[0].Size / scores[0].Rows;
        // Single channels that are scaled by others aren't heads.
        return values.Channels >= heads && values.Channels % heads == 0 && scores.All(found => found.Rows * heads == found.Size)
            ? GroupOf(values, heads, others.Select(found => found.Layer))
            : null;
    }

    private LayerFeed[] FeedsOf(ChannelGroup values) =>
        [.. feeds.Where(feed => values.Of(ChannelRole.Filter).Any(slice => slice.Name == feed.Layer.WeightName))];

    private static double[] RowsOf(ProbedLayer layer) => Reader.OfGates(layer).Magnitudes();

    /// <summary>The number of rows that have a gradient, if these are the first ones and not all; else 0.</summary>
    private static int Leading(double[] magnitudes)
    {
        var rows = magnitudes.TakeWhile(row => row != 0).Count();
        return rows < magnitudes.Length && magnitudes.Skip(rows).All(row => row == 0) ? rows : 0;
    }

    private static ChannelGroup GroupOf(ChannelGroup values, long heads, IEnumerable<ProbedLayer> scores)
    {
        var width = values.Channels / heads;
        return new(values.Name, heads,
        [
            .. scores.SelectMany(layer => GroupBuilder.MadeBy(layer, heads)),
            .. values.Slices.Select(slice => slice with { Block = slice.Block * width }),
        ]);
    }
}
