using Pdp.Samples.Tests;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Files;

/// <summary>Models in several files, as Hugging Face's libraries write them.</summary>
public sealed class ShardIndexTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    public ShardIndexTests()
    {
        Safetensors.Save(_folder.File("1.safetensors"), new Dictionary<string, Tensor> { ["a"] = ones(2), ["b"] = zeros(3) });
        Safetensors.Save(_folder.File("2.safetensors"), new Dictionary<string, Tensor> { ["c"] = ones(1) });
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Load_OfAnIndex_GivesTheTensorsOfAllFiles()
    {
        var index = Index("""{"metadata":{"total_size":24},"weight_map":{"a":"1.safetensors","b":"1.safetensors","c":"2.safetensors"}}""");

        var tensors = Safetensors.Load(index);

        Assert.Equal(["a", "b", "c"], tensors.Keys.Order());
        Assert.Equal([3L], tensors["b"].shape);
    }

    [Theory]
    [InlineData("", "not valid JSON")]
    [InlineData("[]", "no weight_map")]
    [InlineData("{}", "no weight_map")]
    [InlineData("""{"weight_map":{"a":1}}""", "no file for 'a'")]
    [InlineData("""{"weight_map":{"a":"../1.safetensors"}}""", "not the name of a file in the same folder")]
    [InlineData("""{"weight_map":{"a":"/etc/passwd"}}""", "not the name of a file in the same folder")]
    [InlineData("""{"weight_map":{"a":""}}""", "not the name of a file in the same folder")]
    [InlineData("""{"weight_map":{"a":"1.safetensors","a":"2.safetensors"}}""", "'a' twice")]
    [InlineData("""{"weight_map":{"a":"2.safetensors"}}""", "does not hold it")]
    public void Load_OfADamagedIndex_SaysWhat(string json, string says)
    {
        var error = Assert.Throws<InvalidDataException>(() => Safetensors.Load(Index(json)));

        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WhenAFileOfTheIndexIsMissing_NamesIt()
    {
        var error = Assert.Throws<FileNotFoundException>(() => Safetensors.Load(Index("""{"weight_map":{"a":"3.safetensors"}}""")));

        Assert.Contains("3.safetensors", error.Message, StringComparison.Ordinal);
    }

    private string Index(string json)
    {
        var path = _folder.File("model.safetensors.index.json");
        File.WriteAllText(path, json);
        return path;
    }
}
