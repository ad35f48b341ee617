using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Channels;

/// <summary>Holds channel discovery to the truth about each network of the zoo, and what it cuts to the masked network's outputs.</summary>
public sealed class ZooCutTests
{
    /// <summary>
    /// Whether the environment's PDP_ZOO_ALL asks for cuts of random and trained weights in both types; without it each network has one
    /// of them, in turn.
    /// </summary>
    private static readonly bool IsFull = Environment.GetEnvironmentVariable("PDP_ZOO_ALL") == "1";

    public static TheoryData<string> Names => [.. ZooCases.All.Select(zoo => zoo.Name)];

    // Wrong cuts of random weights show best where rounding is least; in float32 the weights have been trained.
    [Theory]
    [MemberData(nameof(Names))]
    public void Network_IsCutAsItsMathematicsAllows(string name)
    {
        var (place, zoo) = ZooCases.All.Index().Single(pair => pair.Item.Name == name);
        if (IsFull || place % 2 == 0)
            Check(zoo, ScalarType.Float64, IsFull ? [0, 3] : [0]);
        if (IsFull || place % 2 == 1)
            Check(zoo, ScalarType.Float32, IsFull ? [0, 3] : [3]);
    }

    private static void Check(ZooCase zoo, ScalarType type, int[] steps)
    {
        var map = Find(zoo, type);
        ZooTruth.Check(zoo, map);
        foreach (var count in steps)
            ZooCut.Check(zoo, map, type, count);
    }

    private static ChannelMap Find(ZooCase zoo, ScalarType type)
    {
        using var model = zoo.Model.Make(type: type);
        using var example = zoo.Input(0, type, batch: 1);
        return ChannelMap.Find(model, example);
    }
}
