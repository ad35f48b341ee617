namespace Pdp.Samples.Tests.Bert;

/// <summary>Runs of files, weights and settings that are wrong.</summary>
public sealed class RunMisuseTests : IDisposable
{
    private readonly BertRuns _runs = new();

    public void Dispose() => _runs.Dispose();

    [Theory]
    [InlineData("lacks vocab.txt", "bert/vocab.txt", null)]
    [InlineData("is not a BERT's vocab.txt: it lacks [CLS], [MASK]", "bert/vocab.txt", "[PAD]\n[UNK]\n[SEP]\n")]
    [InlineData(
        "vocab.txt has 16 pieces, but config.json a vocab_size of 15",
        "bert/vocab.txt",
        "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\n")]
    [InlineData(
        "hidden_size 16 can't be divided by num_attention_heads 3",
        "bert/config.json",
        """{ "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 32, "vocab_size": 15 }""")]
    [InlineData("is not a BERT's config.json", "bert/config.json", """{ "hidden_size": 16 }""")]
    [InlineData(
        "bert.encoder.layer.2.",
        "bert/config.json",
        """{ "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 15,"""
            + """ "max_position_embeddings": 24 }""")]
    [InlineData(
        "intermediate.dense.weight",
        "bert/config.json",
        """{ "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "vocab_size": 15,"""
            + """ "max_position_embeddings": 24 }""")]
    [InlineData("position_embedding_type is 'relative_key'; only absolute", "bert/config.json",
        """{ "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 15,"""
            + """ "position_embedding_type": "relative_key" }""")]
    [InlineData("model_type is 'roberta'; only bert", "bert/config.json",
        """{ "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 15,"""
            + """ "model_type": "roberta" }""")]
    [InlineData("vocab.txt has only 15 pieces of a vocab_size of 30", "bert/config.json",
        """{ "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 30 }""")]
    [InlineData("vocab.txt' is not text in UTF-8", "bert/vocab.txt", "latin")]
    [InlineData("has both dev_matched.tsv and dev_matched.jsonl", "task/dev_matched.jsonl", "{}")]
    [InlineData("has nothing in line 3, but text after it", "task/train.tsv",
        "premise\thypothesis\tgold_label\nyes\tno\tneutral\n\nyes\tno\tentailment\n")]
    [InlineData("has no train.tsv or train.jsonl", "task/train.tsv", null)]
    [InlineData("has no header", "task/train.tsv", "")]
    [InlineData("has no header", "task/train.tsv", "premise\nyes\n")]
    [InlineData("has no texts with a label", "task/train.tsv", "premise\thypothesis\tgold_label\n")]
    [InlineData("has 4 values in line 2, but 3 columns", "task/train.tsv", "premise\thypothesis\tgold_label\nyes\tno\tneutral\tmore\n")]
    [InlineData(
        "has no gold_label, label or is_duplicate in line 2; it has premise, hypothesis",
        "task/train.tsv",
        "premise\thypothesis\nyes\tno\n")]
    [InlineData("has an empty hypothesis in line 2", "task/train.tsv", "premise\thypothesis\tgold_label\nyes\t\tneutral\n")]
    [InlineData("has only the label 'neutral'", "task/train.tsv", "premise\thypothesis\tgold_label\nyes\tno\tneutral\n")]
    [InlineData(
        "has the label 'unsure', which the training texts don't have",
        "task/dev_matched.tsv",
        "premise\thypothesis\tgold_label\nyes\tno\tunsure\n")]
    [InlineData("is not text in UTF-8", "task/dev_matched.tsv", "latin")]
    public void Run_OfFilesThatAreWrong_SaysWhatIs(string expected, string file, string? text)
    {
        var path = _runs.File(file);
        File.Delete(path);
        if (text == "latin")
        {
            File.WriteAllBytes(path, [.. "premise\thypothesis\tgold_label\ncaf"u8, 0xE9, .. "\tno\tneutral\n"u8]);
        }
        else if (text is not null)
        {
            File.WriteAllText(path, text);
        }

        var error = Assert.ThrowsAny<Exception>(() => _runs.Run("--method", "dense"));

        Assert.True(error is ArgumentException or InvalidDataException, error.ToString());
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_runs.File("run")));
    }

    [Fact]
    public void Run_OfPairs_WhereTheModelHasOneSegment_SaysSo()
    {
        var config = _runs.File("bert/config.json");
        File.WriteAllText(config, TinyBert.Config.Replace("{", "{ \"type_vocab_size\": 1,", StringComparison.Ordinal));
        var weights = Pdp.Training.Safetensors.Load(_runs.File("bert/model.safetensors"));
        weights["embeddings.token_type_embeddings.weight"] = weights["embeddings.token_type_embeddings.weight"][..1].clone();
        Pdp.Training.Safetensors.Save(_runs.File("bert/model.safetensors"), weights);

        var error = Assert.Throws<InvalidDataException>(() => _runs.Run("--method", "dense"));

        Assert.Contains("type_vocab_size of 1, but pairs of texts need two segments", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_FromAClassifierOfOtherClasses_SaysWhich()
    {
        _runs.Run("--method", "dense");
        File.Copy(_runs.File("run/weights.safetensors"), _runs.File("other.safetensors"));
        foreach (var file in (string[])["task/train.tsv", "task/dev_matched.tsv"])
        {
            var text = File.ReadAllText(_runs.File(file));
            File.WriteAllText(_runs.File(file), text.Replace("\tneutral", "\tunknown", StringComparison.Ordinal));
        }

        foreach (var option in (string[])["--start", "--teacher"])
        {
            var error = Assert.Throws<InvalidDataException>(() => _runs.Run("--method", "pdp", option, _runs.File("other.safetensors")));
            Assert.Contains("tells the classes contradiction, entailment, neutral, the data has contradiction, entailment, unknown",
                error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("gmp", "metrics.csv")]
    [InlineData("dense", "report.json")]
    [InlineData("dense", "cells")]
    public void Run_IntoAFolderWithResults_IsRefused(string method, string file)
    {
        Directory.CreateDirectory(_runs.File("taken"));
        if (file == "cells")
            Directory.CreateDirectory(_runs.File("taken/cells"));
        else
            File.WriteAllText(_runs.File($"taken/{file}"), "");

        var error = Assert.Throws<ArgumentException>(() => _runs.New(["--method", method, "--out", _runs.File("taken")]));

        Assert.Contains("already holds the results of another run: give another --out", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--length 25 is beyond the encoder's 24 positions", "--length", "25")]
    [InlineData("pofa learns from a teacher", "--method", "pofa")]
    [InlineData("--strategy channel is not for this sample", "--method", "pdp", "--strategy", "channel")]
    [InlineData("--epochs 0 only measures", "--method", "pdp", "--epochs", "0")]
    [InlineData("has no checkpoint to resume", "--resume")]
    [InlineData("There is no method 'pfd'; did you mean pdp?", "--method", "pfd")]
    [InlineData("Must be in [0, 1]", "--distill", "1.5")]
    public void Run_OfSettingsThatAreWrong_SaysWhatIs(string expected, params string[] arguments)
    {
        var error = Assert.ThrowsAny<ArgumentException>(() => _runs.Run(arguments));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OfATeacherWithoutAClassifier_SaysSo()
    {
        var teacher = _runs.File("bert/model.safetensors");

        var error = Assert.Throws<InvalidDataException>(() => _runs.Run("--method", "pdp", "--teacher", teacher));

        Assert.Contains("has no classifier: --teacher needs the weights of a fine-tuned model", error.Message, StringComparison.Ordinal);
    }
}
