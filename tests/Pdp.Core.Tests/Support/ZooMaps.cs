namespace Pdp.Tests.Support;

/// <summary>The channels of networks of the zoo, each found once for all tests: a map holds no tensors and fits any type.</summary>
internal static class ZooMaps
{
    private static readonly Dictionary<string, ChannelMap> Found = [];

    public static ChannelMap Of(string name)
    {
        if (Found.TryGetValue(name, out var found))
            return found;
        var zoo = Zoo.Get(name);
        using var model = zoo.Make();
        using var example = zoo.Batch(size: 1);
        return Found[name] = ChannelMap.Find(model, example);
    }
}
