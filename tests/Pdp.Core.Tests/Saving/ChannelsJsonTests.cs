using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Pdp.Tests.Saving;

/// <summary>Channel maps in the JSON of options.</summary>
public sealed class ChannelsJsonTests
{
    [Theory]
    [InlineData("block", "1000", "reach beyond")]
    [InlineData("offset", "9", "reach beyond")]
    [InlineData("dimension", "7", "reach beyond")]
    [InlineData("name", "\"elsewhere.weight\"", "the model has no 'elsewhere.weight'")]
    public void FromJson_OfASliceOutsideOfTheModel_NamesIt(string property, string value, string expected)
    {
        using var model = TestModels.Cnn();
        using var example = ones(1, 3, 8, 8);
        var map = ChannelMap.Find(model, example);
        var options = new PdpOptions { Epochs = 4, Sparsity = 0.5, Strategy = new PerChannel(), Channels = map };
        var json = JsonNode.Parse(options.ToJson())!;
        var slice = json["channels"]!["groups"]![0]!["slices"]!.AsArray().First(slice => (int?)slice!["role"] == (int)ChannelRole.Input)!;
        Assert.NotNull(slice[property]);
        slice[property] = JsonNode.Parse(value);

        var error = Assert.Throws<ArgumentException>(() => PdpOptions.FromJson(json.ToJsonString()));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains("channels", error.Message, StringComparison.Ordinal);
    }
}
