using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Channels.Shrinking;

/// <summary>A record of a shrink cuts another model of the same kind, and no other.</summary>
public sealed class ShrinkApplyTests
{
    /// <summary>Networks of which channels can be removed.</summary>
    public static TheoryData<string> Networks => [.. Zoo.All.Concat(Zoo.Either).Select(zoo => zoo.Name)];

    [Theory]
    [MemberData(nameof(Networks))]
    public void Apply_ToANewModel_LetsItTakeTheShrunkWeights(string name)
    {
        using var run = new ShrinkRun(name, ScalarType.Float32);
        var record = ShrinkRecord.FromJson(run.Pruner.Shrink(run.Example).Record.ToJson());
        using var fresh = Zoo.Get(name).Make(seed: 7);

        record.Apply(fresh);
        fresh.load_state_dict(run.Model.state_dict());

        Assert.Equal(run.Output(), run.Output(fresh));
    }

    [Fact]
    public void Apply_ToAnotherModel_NamesWhatIsMissing()
    {
        using var run = new ShrinkRun(nameof(PlainCnn), ScalarType.Float32);
        var record = run.Pruner.Shrink(run.Example).Record;
        using var other = Zoo.Get(nameof(VggLike)).Make();

        Assert.Contains("this one has no 'conv1.", Assert.Throws<ArgumentException>(() => record.Apply(other)).Message);
    }

    [Fact]
    public void Apply_Twice_SaysThatItIsDone()
    {
        using var run = new ShrinkRun(nameof(PlainCnn), ScalarType.Float32);
        var record = run.Pruner.Shrink(run.Example).Record;
        using var fresh = Zoo.Get(nameof(PlainCnn)).Make();
        record.Apply(fresh);
        var before = run.Output(fresh);

        Assert.Contains("shrunk already", Assert.Throws<ArgumentException>(() => record.Apply(fresh)).Message);
        Assert.Equal(before, run.Output(fresh));
    }

    [Theory]
    [InlineData("\"version\": 1", "\"version\": 9", "version 9")]
    [InlineData("{", "", "Not a shrink record")]
    public void FromJson_OfSomethingElse_Throws(string part, string with, string expected)
    {
        using var run = new ShrinkRun(nameof(PlainCnn), ScalarType.Float32);
        var json = run.Pruner.Shrink(run.Example).Record.ToJson();
        var at = json.IndexOf(part, StringComparison.Ordinal);

        var fault = Assert.Throws<ArgumentException>(() => ShrinkRecord.FromJson(json[..at] + with + json[(at + part.Length)..]));

        Assert.Contains(expected, fault.Message);
    }
}
