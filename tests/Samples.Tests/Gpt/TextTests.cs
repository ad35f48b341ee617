using Pdp.Samples.Gpt.Text;
using Pdp.Samples.Gpt.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.Gpt;

public sealed class TextTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Words_AreNumberedByFrequency_WithLineEndsAndUnknownOnes()
    {
        var words = new Words(" b a <unk> \n a \n");

        // <unk>, <eos>, a, b
        Assert.Equal(4, words.Size);
        Assert.Equal([3, 2, 0, 1, 2, 1], words.Encode(" b a <unk> \n a \n"));
        Assert.Equal([2, 0, 3], words.Encode("a what b"));
        Assert.Equal("b a \n a", words.Decode([3, 2, 1, 2]));
        Assert.NotEqual(words.Description, new Words("b c\n").Description);
    }

    [Fact]
    public void Characters_AreReadBackAsTheyWere()
    {
        var characters = new Characters("cab😀 a");

        Assert.Equal(5, characters.Size);
        Assert.Equal("a😀c", characters.Decode(characters.Encode("a😀c")));
        var error = Assert.Throws<InvalidDataException>(() => characters.Encode("x"));
        Assert.Contains("The character 'x' is in none of the texts", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BytePairs_AreThoseOfGpt2()
    {
        var pairs = new BytePairs();

        Assert.Equal([15496, 11, 314, 1101, 257, 3303, 2746, 11], pairs.Encode("Hello, I'm a language model,"));
        Assert.InRange(pairs.Encode("Hello, ロ\n").Max(), 0, pairs.Size - 1);
        Assert.Equal("Hello, ロ\n", pairs.Decode(pairs.Encode("Hello, ロ\n")));
    }

    [Fact]
    public void Read_OfASingleFile_TestsOnItsLastTenth()
    {
        File.WriteAllText(_folder.File("text.txt"), "0123456789");

        var files = TextFiles.Read(_folder.File("text.txt"));

        Assert.Equal("012345678", files.Training);
        Assert.Equal([("test", "9")], files.Tests);
    }

    [Theory]
    [InlineData("😀😀😀😀😀", "😀😀😀😀", "😀")]
    [InlineData("0123456😀", "0123456", "😀")]
    [InlineData("01234567😀9", "01234567", "😀9")]
    public void Read_OfASingleFile_LeavesCharactersWhole(string text, string training, string test)
    {
        File.WriteAllText(_folder.File("text.txt"), text);

        var files = TextFiles.Read(_folder.File("text.txt"));

        Assert.Equal(training, files.Training);
        Assert.Equal([("test", test)], files.Tests);
    }

    [Theory]
    [InlineData("latest_train.txt", "latest_test.txt")]
    [InlineData("contest-train.txt", "contest-test.txt", "contest-valid.txt")]
    [InlineData("constrained.training.txt", "constrained.test2.txt", "constrained.validation.txt")]
    [InlineData("invalid Train.txt", "invalid Test.txt", "invalid Valid.txt", "attest.txt", "detrained.txt")]
    public void Read_OfAFolder_GoesByWholePartsOfNames(params string[] names)
    {
        foreach (var name in names)
            File.WriteAllText(_folder.File(name), name);

        var files = TextFiles.Read(_folder.Path);

        Assert.Equal(names[0], files.Training);
        (string, string)[] tests = names.Length > 2 ? [("test", names[1]), ("valid", names[2])] : [("test", names[1])];
        Assert.Equal(tests, files.Tests);
    }

    [Theory]
    [InlineData("neither a file nor a folder", "nowhere", "ptb.train.txt")]
    [InlineData("has no .txt file with train in its name", "", "ptb.test.txt")]
    [InlineData("has no .txt file with test or valid in its name", "", "ptb.train.txt")]
    [InlineData(
        "has more than one .txt file with test in its name: a.test.txt, b.test.txt", "", "ptb.train.txt", "b.test.txt", "a.test.txt")]
    [InlineData("has no .txt file with test or valid in its name", "", "latest_train.txt")]
    [InlineData("has a .txt file with both test and train in its name: train-test.txt", "", "train-test.txt", "valid.txt")]
    [InlineData("has a .txt file with both test and valid in its name: valid.test.txt", "", "valid.test.txt", "train.txt")]
    public void Read_WithoutAFile_SaysWhich(string expected, string folder, params string[] files)
    {
        foreach (var file in files)
            File.WriteAllText(_folder.File(file), "some text");

        var error = Assert.Throws<ArgumentException>(() => TextFiles.Read(_folder.File(folder)));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("is not text in UTF-8", new byte[] { 99, 97, 102, 0xE9, 10 })]
    [InlineData("has no text", new byte[] { 32, 10 })]
    public void Read_OfAFileThatIsNoText_SaysSo(string expected, byte[] bytes)
    {
        File.WriteAllBytes(_folder.File("text.txt"), bytes);

        var error = Assert.Throws<InvalidDataException>(() => TextFiles.Read(_folder.File("text.txt")));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shuffled_CutsTheTextElsewhereEachEpoch_AndTellsTheTokensAfter()
    {
        var windows = new Windows(new TokenText("train", [.. Enumerable.Range(0, 100)]), length: 8, size: 3, seed: 1);
        using var scope = NewDisposeScope();
        long[] Epoch(int epoch) =>
            [.. Enumerable.Range(0, windows.Count).SelectMany(step => windows.Shuffled(epoch, step).Tokens.data<long>().ToArray())];

        var (tokens, next) = windows.Shuffled(0, 0);

        Assert.Equal([3, 8], tokens.shape);
        Assert.Equal([.. tokens.data<long>().ToArray().Select(token => token + 1)], next.data<long>().ToArray());
        Assert.Equal(11 * 8, Epoch(0).Distinct().Count());
        Assert.Equal(Epoch(1), Epoch(1));
        Assert.NotEqual(Epoch(0).Min(), Epoch(1).Min());
    }

    [Fact]
    public void SideBySide_BreaksLinesBetweenWords()
    {
        var page = SideBySide.Of("dense", new string('a', 40) + " bbbbbbbb c", "pdp", "x\ny");

        Assert.Equal(
            $"""
            dense                                          | pdp
            -----                                          | ---
            {new string('a', 40)}       | x
            bbbbbbbb c                                     | y

            """, page);
    }

    [Fact]
    public void SideBySide_LeavesCharactersWhole()
    {
        var page = SideBySide.Of("dense", "", "pdp", new string('a', 45) + "😀b");

        Assert.Contains($"| {new string('a', 45)}\n", page, StringComparison.Ordinal);
        Assert.Contains("| 😀b\n", page, StringComparison.Ordinal);
    }
}
