using Pdp.Baselines.Tests.Support;
using Pdp.Tests.Support;

namespace Pdp.Baselines.Tests;

/// <summary>
/// A step's gradient may be added up over parts of its batch, in a scope each or in one: the weights are those of the whole batch.
/// </summary>
public sealed class AccumulationTests
{
    public static TheoryData<string> Names => [.. Loop.Names];

    /// <summary>Ten epochs of a step.</summary>
    private static IEnumerable<double> Epochs => Enumerable.Range(0, 10).Select(step => (double)step);

    [Theory]
    [MemberData(nameof(Names))]
    public void PartsOfABatch_GiveTheWeightsOfTheWhole(string name)
    {
        using var whole = new Loop(name).Trained(Epochs);
        whole.Pruner.Commit();

        foreach (var (parts, inOneScope) in new[] { (2, true), (2, false), (4, true), (4, false) })
        {
            using var divided = new Loop(name) { Parts = parts, IsInOneScope = inOneScope }.Trained(Epochs);
            divided.Pruner.Commit();

            // Scores of channels that are tied are float32.
            var tolerance = name == "tied MVP" ? Close.Float32 : Close.Float64;
            Close.Equal(whole.Values(), divided.Values(), tolerance, tolerance);
            Assert.Equal(Zeros(whole), Zeros(divided));
        }
    }

    private static IEnumerable<int> Zeros(Loop loop) => loop.Values().Index().Where(value => value.Item == 0).Select(value => value.Index);
}
