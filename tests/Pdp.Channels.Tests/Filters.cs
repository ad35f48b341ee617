namespace Pdp.Tests.Channels;

/// <summary>The names of the weights whose channels were found.</summary>
internal static class Filters
{
    public static IEnumerable<string> Of(ChannelMap map) => map.Groups.SelectMany(Of);

    public static IEnumerable<string> Of(ChannelGroup group) => group.Of(ChannelRole.Filter).Select(slice => slice.Name);
}
