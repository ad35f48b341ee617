using System.Globalization;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Channels;

/// <summary>
/// Networks of random blocks: whatever is refused, what is cut gives the masked network's outputs, with any weights and on any data.
/// </summary>
public sealed class RandomNetworkTests
{
    /// <summary>Networks by default; the environment's PDP_ZOO asks for more, and PDP_ZOO_FROM begins at another seed.</summary>
    private static readonly int Count = Setting("PDP_ZOO", 20);

    private static readonly int First = Setting("PDP_ZOO_FROM", 0);

    [Fact]
    public void Network_ThatIsShrunk_GivesTheMaskedNetworksOutputs()
    {
        var faults = new List<string>();
        for (var seed = First; seed < First + Count; seed++)
        {
            var (zoo, words) = RandomNet.Of(seed);
            try
            {
                Check(zoo, seed);
            }
            catch (Exception fault)
            {
                faults.Add($"seed {seed}: {words}: {fault.GetType().Name}: {fault.Message.Split('\n')[0]}");
            }
        }

        Assert.True(
            faults.Count == 0, $"{faults.Count} of {Count} networks fail:{Environment.NewLine}{string.Join(Environment.NewLine, faults)}");
    }

    private static void Check(ZooCase zoo, int seed)
    {
        var type = seed % 2 == 0 ? ScalarType.Float64 : ScalarType.Float32;
        using var model = zoo.Model.Make(seed, type);
        using var example = zoo.Input(seed, type, batch: 1 + (seed % 2));
        var before = Everything.Of(model);

        var map = ChannelMap.Find(model, example);

        Assert.Equal(before, Everything.Of(model));
        ZooCut.Check(
            zoo, map, type, steps: seed % 3 == 0 ? 2 : 0, seed + 1, inputs: 4, tolerance: type == ScalarType.Float64 ? 1e-9 : 1e-3);
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : otherwise;
}
