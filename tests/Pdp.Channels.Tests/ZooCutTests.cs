using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Channels;

/// <summary>Holds channel discovery to the truth about each network of the zoo, and what it cuts to the masked network's outputs.</summary>
public sealed class ZooCutTests
{
    /// <summary>Whether the environment's PDP_ZOO_ALL asks for cuts of random and trained weights in both types.</summary>
    private static readonly bool IsFull = Environment.GetEnvironmentVariable("PDP_ZOO_ALL") == "1";

    public static TheoryData<string> Names => [.. ZooCases.All.Select(zoo => zoo.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Network_IsCutAsItsMathematicsAllows(string name) => Check(name);

    private static void Check(string name)
    {
        var zoo = ZooCases.Get(name);
        foreach (var type in new[] { ScalarType.Float32, ScalarType.Float64 })
        {
            var map = Find(zoo, type);
            ZooTruth.Check(zoo, map);
            // Wrong cuts of random weights show best where rounding is least.
            if (type == ScalarType.Float64 || IsFull)
                ZooCut.Check(zoo, map, type, steps: 0);
            if (type == ScalarType.Float32 || IsFull)
                ZooCut.Check(zoo, map, type, steps: 3);
        }
    }

    private static ChannelMap Find(ZooCase zoo, ScalarType type)
    {
        using var model = zoo.Model.Make(type: type);
        using var example = zoo.Input(0, type, batch: 1);
        return ChannelMap.Find(model, example);
    }
}
