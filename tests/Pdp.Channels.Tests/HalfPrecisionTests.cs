using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Channels;

/// <summary>Channels are found in a type that shows what a cut changes; models of coarser types are cut by that map.</summary>
public sealed class HalfPrecisionTests
{
    public static TheoryData<string, ScalarType> Networks => new()
    {
        { "MlpMixer", ScalarType.BFloat16 },
        { "SwiGlu", ScalarType.BFloat16 },
        { "ConvMixer", ScalarType.BFloat16 },
        { "AttentionByWidth", ScalarType.BFloat16 },
        { "SwiGlu", ScalarType.Float16 },
    };

    [Theory]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float16)]
    public void Find_OfAModelOfHalfPrecision_AsksForAFinerType(ScalarType type)
    {
        var zoo = ZooCases.Get("SwiGlu");
        using var model = zoo.Model.Make(type: type);
        using var example = zoo.Input(0, type);
        var before = Everything.Of(model);

        var fault = Assert.Throws<ArgumentException>(() => ChannelMap.Find(model, example));

        Assert.Contains($"is of type {type}", fault.Message, StringComparison.Ordinal);
        Assert.Contains("find it in float32", fault.Message, StringComparison.Ordinal);
        Assert.Equal(before, Everything.Of(model));
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void Shrink_OfAModelThatWasConverted_KeepsTheOutput(string name, ScalarType type)
    {
        var zoo = ZooCases.Get(name);
        using var model = zoo.Model.Make();
        using var example = zoo.Input(0, ScalarType.Float32);

        ZooCut.Check(zoo, ChannelMap.Find(model, example), type, steps: 2, inputs: 6, tolerance: 0.1);
    }
}
