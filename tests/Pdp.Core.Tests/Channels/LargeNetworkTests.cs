using System.Diagnostics;
using Pdp.Channels;
using Pdp.Tests.Support;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace Pdp.Tests.Channels;

public sealed class LargeNetworkTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("ResNet18")]
    [InlineData("ResNet50")]
    [InlineData("MobileNetV1")]
    [InlineData("MobileNetV2")]
    public void Find(string name)
    {
        var zoo = Zoo.Get(name);
        using var model = zoo.Make();
        using var example = ones(1, 3, 32, 32);
        var clock = Stopwatch.StartNew();
        var map = ChannelMap.Find(model, example);
        output.WriteLine($"{name} {clock.Elapsed.TotalSeconds} {map.Groups.Count} {string.Join(";", map.Refused.Keys)}");
        Assert.Fail("x");
    }
}
