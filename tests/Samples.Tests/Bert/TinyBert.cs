using Pdp.Samples.Bert.Network;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.Bert;

/// <summary>A BERT of two layers of width 16 with random weights, and pairs of words whose labels follow from the words.</summary>
internal static class TinyBert
{
    private static readonly string[] Words = ["yes", "no", "maybe", "cat", "dog", "sun", "rain", "red", "blue", "##s"];
    private static readonly string[] Labels = ["contradiction", "entailment", "neutral"];

    public const string Config =
        """{ "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 15,"""
            + """ "max_position_embeddings": 24, "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1 }""";

    /// <summary>Writes the files of the model, with names that begin as in an encoder's file, or in a classifier's.</summary>
    public static void WriteModel(string folder, string prefix = "")
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), Config);
        File.WriteAllLines(Path.Combine(folder, "vocab.txt"), ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", .. Words]);
        using var scope = NewDisposeScope();
        manual_seed(1);
        using var model = new BertClassifier(BertConfig.Load(Path.Combine(folder, "config.json")), classes: 3);
        var encoder = model.Encoder.state_dict().ToDictionary(entry => prefix + entry.Key, entry => entry.Value, StringComparer.Ordinal);
        Safetensors.Save(Path.Combine(folder, "model.safetensors"), encoder);
    }

    /// <summary>Writes pairs to train and to test on.</summary>
    public static void WriteTask(string folder, int count = 48)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllLines(Path.Combine(folder, "train.tsv"), ["premise\thypothesis\tgold_label", .. Pairs(0, count)]);
        File.WriteAllLines(Path.Combine(folder, "dev_matched.tsv"), ["index\tpremise\thypothesis\tgold_label", .. Pairs(count, 12).Select(
            (line, i) => $"{i}\t{line}")]);
    }

    private static IEnumerable<string> Pairs(int first, int count) => Enumerable.Range(first, count).Select(i =>
        $"{Words[3 + (i % 6)]} {Words[3 + (i / 6 % 6)]}\t{Words[i % 3]}{(i % 2 == 0 ? " cats" : "")}\t{Labels[i % 3]}");
}
