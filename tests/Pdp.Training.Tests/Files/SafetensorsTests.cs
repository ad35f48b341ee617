using Pdp.Samples.Tests;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Files;

public sealed class SafetensorsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    private string Path => _folder.File("weights.safetensors");

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Int64)]
    [InlineData(ScalarType.Int32)]
    [InlineData(ScalarType.Int16)]
    [InlineData(ScalarType.Int8)]
    [InlineData(ScalarType.Byte)]
    [InlineData(ScalarType.Bool)]
    public void Load_WhenSaved_GivesTheSameBytes(ScalarType type)
    {
        var saved = tensor(new float[] { 0, 1, 2, 3, 100, 127 }).reshape(2, 3).to(type);
        Safetensors.Save(Path, new Dictionary<string, Tensor> { ["weight"] = saved });

        var loaded = Safetensors.Load(Path)["weight"];

        Assert.Equal(type, loaded.dtype);
        Assert.Equal([2, 3], loaded.shape);
        Assert.Equal(saved.bytes.ToArray(), loaded.bytes.ToArray());
    }

    [Fact]
    public void Load_WhenTensorsAreScalarEmptyOrViews_GivesTheirValues()
    {
        var matrix = tensor(new float[] { 1, 2, 3, 4, 5, 6 }).reshape(2, 3);
        var saved = new Dictionary<string, Tensor> { ["scalar"] = tensor(7f), ["empty"] = zeros(0, 3), ["view"] = matrix.t() };
        Safetensors.Save(Path, saved);

        var loaded = Safetensors.Load(Path);

        Assert.Empty(loaded["scalar"].shape);
        Assert.Equal(7f, loaded["scalar"].ReadCpuSingle(0));
        Assert.Equal([0, 3], loaded["empty"].shape);
        Assert.Equal([1f, 4, 2, 5, 3, 6], loaded["view"].data<float>().ToArray());
    }

    [Theory]
    [InlineData('a', 10_000_000)]
    [InlineData('+', 1_700_000)] // six bytes in JSON
    public void Save_WhenTextsAreLongerThanAHeaderMayBe_NamesTheLongestAndWritesNothing(char character, int count)
    {
        var text = new string(character, count - 1); // One string, ten times: a small machine runs this test too.
        var texts = Enumerable.Range(0, 10).ToDictionary(i => $"layer{i}", _ => text);
        texts["pruner"] = new(character, count);

        var error = Assert.Throws<ArgumentException>(() => Safetensors.Save(Path, new Dictionary<string, Tensor>(), texts));

        Assert.Contains($"the text 'pruner' has {count} characters", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path));
    }

    [Fact]
    public void LoadMetadata_WhenSaved_GivesTheSameText()
    {
        var metadata = new Dictionary<string, string> { ["epoch"] = "3", ["note"] = "\"quoted\", ünïcode\n" };
        Safetensors.Save(Path, new Dictionary<string, Tensor> { ["a"] = zeros(1) }, metadata);

        var loaded = Safetensors.LoadMetadata(Path);

        Assert.Equal(metadata, loaded);
        Assert.Equal(["a"], Safetensors.Load(Path).Keys);
    }

    [Fact]
    public void Save_WhenTypeIsUnknownToTheFormat_ThrowsAndWritesNothing()
    {
        var complex = zeros(2, dtype: ScalarType.ComplexFloat32);

        var error = Assert.Throws<ArgumentException>(() => Safetensors.Save(Path, new Dictionary<string, Tensor> { ["c"] = complex }));

        Assert.Contains("ComplexFloat32", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Theory]
    [InlineData("__metadata__")]
    [InlineData("a\ud800")]
    public void Save_WhenANameCantBeRead_ThrowsAndWritesNothing(string name)
    {
        Assert.Throws<ArgumentException>(() => Safetensors.Save(Path, new Dictionary<string, Tensor> { [name] = zeros(1) }));
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Save_WhenATensorHasNoMemory_NamesItAndWritesNothing()
    {
        var error = Assert.Throws<ArgumentException>(
            () => Safetensors.Save(Path, new Dictionary<string, Tensor> { ["s"] = eye(2).to_sparse() }));

        Assert.Contains("'s'", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Save_WhenATensorOrATextIsNull_NamesItAndWritesNothing()
    {
        var gone = zeros(1);
        gone.Dispose();

        Assert.Contains("'a'", Fault(new() { ["a"] = null! }, []), StringComparison.Ordinal);
        Assert.Contains("'a'", Fault(new() { ["a"] = gone }, []), StringComparison.Ordinal);
        Assert.Contains("'epoch' is null", Fault([], new() { ["epoch"] = null! }), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path));

        string Fault(Dictionary<string, Tensor> tensors, Dictionary<string, string> texts) =>
            Assert.Throws<ArgumentException>(() => Safetensors.Save(Path, tensors, texts)).Message;
    }

    [Fact]
    public void Load_WhenFileIsMissing_NamesIt()
    {
        var error = Assert.Throws<FileNotFoundException>(() => Safetensors.Load(Path));

        Assert.Contains(Path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WhenInAScope_LeavesNothingBehindIt()
    {
        Safetensors.Save(Path, new Dictionary<string, Tensor> { ["a"] = zeros(4, 4).t() });
        DisposeScopeManager.Statistics.Reset();

        using (NewDisposeScope())
        {
            Safetensors.Save(Path, Safetensors.Load(Path));
        }

        Assert.Equal(0, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }
}
