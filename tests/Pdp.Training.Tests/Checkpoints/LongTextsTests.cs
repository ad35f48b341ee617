using Pdp.Samples.Tests;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Checkpoints;

public sealed class LongTextsTests : IDisposable
{
    private const int Longest = 1_000_000;

    private readonly TemporaryFolder _folder = new();
    private readonly Scene _scene = new(1);

    private string Path => _folder.File("state.safetensors");

    public void Dispose()
    {
        _scene.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void LoadTexts_WhenTextsAreTooLongForAHeader_GivesThemBack()
    {
        // 6 MB of JSON each, of which a header of 100 MB has no room for twenty.
        var text = string.Concat("é\"+", new string('+', Longest));
        var texts = Enumerable.Range(0, 20).ToDictionary(i => $"text{i}", i => $"{text}{i}");
        texts["epoch"] = "3";

        _scene.State.Save(Path, texts);

        Assert.Equal(texts, TrainingState.LoadTexts(Path).Where(entry => entry.Key != "sha256").ToDictionary());
        _scene.State.Load(Path);
    }

    [Fact]
    public void LoadTexts_WhenTextsAreShort_GivesThoseOfTheHeader()
    {
        _scene.State.Save(Path, new Dictionary<string, string> { ["pruner"] = new('a', 100) });

        Assert.Equal(Safetensors.LoadMetadata(Path), TrainingState.LoadTexts(Path));
    }

    [Fact]
    public void Save_WhenALongTextIsNotUnicode_NamesItAndWritesNothing()
    {
        var texts = new Dictionary<string, string> { ["pruner"] = new string('a', Longest) + '\ud800' };

        var error = Assert.Throws<ArgumentException>(() => _scene.State.Save(Path, texts));

        Assert.Contains("'pruner'", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path));
    }

    [Fact]
    public void Save_WhenALongTextHasTheNameOfTheHash_RefusesTheName()
    {
        var texts = new Dictionary<string, string> { ["sha256"] = new('a', Longest + 1) };

        var error = Assert.Throws<ArgumentException>(() => _scene.State.Save(Path, texts));

        Assert.Contains("reserved", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("epoch", "twice")]
    [InlineData("text", "UTF-8")]
    [InlineData("numbers", "Int64")]
    public void LoadTexts_WhenALongTextIsDamaged_SaysHow(string name, string expected)
    {
        using var scope = NewDisposeScope();
        var stored = name == "numbers" ? zeros(2, dtype: ScalarType.Int64) : tensor(new[] { name == "text" ? (byte)0xff : (byte)'3' });
        Safetensors.Save(
            Path, new Dictionary<string, Tensor> { [$"text.{name}"] = stored }, new Dictionary<string, string> { ["epoch"] = "3" });

        Assert.Contains(
            expected, Assert.Throws<InvalidDataException>(() => TrainingState.LoadTexts(Path)).Message, StringComparison.Ordinal);
    }
}
