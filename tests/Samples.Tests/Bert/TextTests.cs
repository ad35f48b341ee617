using Pdp.Samples.Bert.Text;

namespace Pdp.Samples.Tests.Bert;

public sealed class TextTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Strip_TakesAccentsOffLatinLetters() =>
        Assert.Equal("cafe senor ngoc øre 東京", Accents.Strip("Café Señor Ngọc Øre 東京"));

    [Fact]
    public void Encode_OfAPair_CutsTheLongerTextFirst()
    {
        TinyBert.WriteModel(_folder.Path);
        var pieces = WordPiece.Load(_folder.File("vocab.txt"));

        var encoded = pieces.Encode("cats dog", "yes no maybe", length: 7);

        // [CLS] cat ##s [SEP] yes no [SEP]
        Assert.Equal([2, 8, 14, 3, 5, 6, 3], encoded.Tokens);
        Assert.Equal(4, encoded.FirstLength);
        Assert.Equal([2, 5, 3], pieces.Encode("YES", null, length: 7).Tokens);
    }

    [Theory]
    [InlineData("dev.jsonl", "{ \"sentence1\": \"a\", \"sentence2\": \"b\", \"gold_label\": \"neutral\", \"annotator_labels\": [\"x\"] "
        + "}\n{ \"sentence1\": \"a\", \"sentence2\": \"b\", \"gold_label\": \"-\" }\n", "b", "neutral", 1)]
    [InlineData("dev.tsv", "sentence\tlabel\na\t1\n", null, "1", 0)]
    [InlineData("dev.tsv", "index\tquestion\tsentence\tlabel\n0\ta\tb\tentailment\n", "b", "entailment", 0)]
    [InlineData("dev.tsv", "id\tquestion1\tquestion2\tis_duplicate\n0\ta\tb\t0\n", "b", "0", 0)]
    public void Read_OfTheFormsThatTasksHave_FindsTextsAndLabels(string name, string text, string? second, string label, int unlabelled)
    {
        File.WriteAllText(_folder.File(name), text);

        var file = TextFile.Read(_folder.File(name));

        Assert.Equal(new TextPair("a", second, label), Assert.Single(file.Pairs));
        Assert.Equal(unlabelled, file.Unlabelled);
    }

    [Fact]
    public void Shuffled_TakesEachTextOncePerEpochInAnOrderOfItsOwn()
    {
        EncodedText[] texts = [.. Enumerable.Range(0, 50).Select(i => new EncodedText([.. Enumerable.Repeat(i, 3 + (i % 7))], 3))];
        var batches = new TextBatches(texts, [.. Enumerable.Range(0, 50)], size: 8, padding: 0, seed: 3);
        using var scope = TorchSharp.torch.NewDisposeScope();
        long[] Order(int epoch) =>
            [.. Enumerable.Range(0, batches.Count).SelectMany(i => batches.Shuffled(epoch, i).Labels.data<long>().ToArray())];

        Assert.Equal(Enumerable.Range(0, 50).Select(i => (long)i), Order(0).Order());
        Assert.NotEqual(Order(0), Order(1));
        Assert.Equal(Order(1), Order(1));
    }
}
