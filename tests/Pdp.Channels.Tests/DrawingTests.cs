using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Channels;

/// <summary>
/// Holds channel discovery to the truth about networks that draw random numbers, whose outputs can't be compared one by one.
/// </summary>
public sealed class DrawingTests
{
    public static TheoryData<string> Names => [.. DrawingNets.Cases.Select(zoo => zoo.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Network_IsGroupedAsItsMathematicsAllows(string name)
    {
        var zoo = DrawingNets.Cases.Single(zoo => zoo.Name == name);
        using var model = zoo.Model.Make();
        using var example = zoo.Input(0, ScalarType.Float32, batch: 1);

        ZooTruth.Check(zoo, ChannelMap.Find(model, example));
    }

    [Theory]
    [InlineData("DropoutOfChannels")]
    [InlineData("DropoutInEvaluation")]
    [InlineData("ExamplesDropped")]
    public void Network_ThatDrawsForEachChannel_IsShrunk(string name)
    {
        var zoo = DrawingNets.Cases.Single(zoo => zoo.Name == name);
        using var model = zoo.Model.Make();
        using var example = zoo.Input(0, ScalarType.Float32, batch: 1);
        using var pruner = new PdpPruner(model, ZooCut.Options(ChannelMap.Find(model, example)));
        pruner.BeginEpoch(0);
        pruner.Commit();

        var report = pruner.Shrink(example);

        Assert.True(report.ParametersAfter < report.ParametersBefore);
    }

    [Fact]
    public void Find_DoesNotDependOnTheGenerator()
    {
        var zoo = DrawingNets.Cases.Single(zoo => zoo.Name == "DropoutInEvaluation");
        using var model = zoo.Model.Make();
        using var example = zoo.Input(0, ScalarType.Float32, batch: 1);
        string[] MapOf(int seed)
        {
            manual_seed(seed);
            var map = ChannelMap.Find(model, example);
            return [.. map.Groups.Select(group => group.ToString()), .. map.Unsupported.Select(pair => $"{pair.Key}: {pair.Value}")];
        }

        var expected = MapOf(0);

        Assert.All(Enumerable.Range(1, 5), seed => Assert.Equal(expected, MapOf(seed)));
    }
}
