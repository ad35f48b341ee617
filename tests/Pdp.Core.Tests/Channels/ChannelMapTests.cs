using Pdp.Channels;
using Pdp.Tests.Support;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace Pdp.Tests.Channels;

public sealed class ChannelMapTests(ITestOutputHelper output)
{
    [Theory]
    [MemberData(nameof(Zoo.Names), MemberType = typeof(Zoo))]
    public void Find_Prints(string name)
    {
        var zoo = Zoo.Get(name);
        using var model = zoo.Make(type: ScalarType.Float64);
        using var example = zoo.Batch(size: 1, type: ScalarType.Float64);

        var map = ChannelMap.Find(model, example);

        output.WriteLine(name);
        foreach (var group in map.Groups)
            output.WriteLine($"  {group}: {string.Join("; ", group.Slices.Select(s => $"{s.Name}[{s.Dimension}]+{s.Offset}x{s.Block} {s.Role}"))}");
        foreach (var (weight, reason) in map.Refused)
            output.WriteLine($"  - {weight}: {reason}");
        Assert.Fail("look");
    }
}
