using System.Text.Json;
using Pdp.Samples.Bert.Network;
using Pdp.Samples.Bert.Text;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.Bert;

/// <summary>A real encoder against what another runtime computed from the same weights.</summary>
public sealed class ReferenceTests
{
    [SharedFact]
    public void EncoderAndTokenizer_GiveWhatAnotherRuntimeComputed()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = new BertClassifier(BertConfig.Load(SharedData.File("minilm/config.json")), classes: 3);
        using var document = JsonDocument.Parse(File.ReadAllText(SharedData.File("minilm/reference.json")));
        var pieces = WordPiece.Load(SharedData.File("minilm/vocab.txt"));
        var isWhole = PretrainedWeights.LoadInto(model, SharedData.File("minilm/model.safetensors"), classes: []);
        model.eval();

        Assert.False(isWhole);
        foreach (var expected in document.RootElement.GetProperty("results").EnumerateArray())
        {
            var texts = expected.GetProperty("text").GetString()!.Split(" [SEP] ");
            var encoded = pieces.Encode(texts[0], texts.ElementAtOrDefault(1), length: 128);
            var (batch, _) = new TextBatches([encoded], [0], size: 1, padding: 0, seed: 0).ByLength(0);
            var (stream, pooled) = model.Encoder.call(batch);

            Assert.Equal(Numbers(expected, "input_ids"), encoded.Tokens.Select(token => (double)token));
            Assert.Equal(Numbers(expected, "token_type_ids"), batch.Segments.data<long>().ToArray().Select(segment => (double)segment));
            Near(Numbers(expected, "last_hidden_state_cls_first8"), stream[0, 0, ..8]);
            Near(Numbers(expected, "last_hidden_state_last_token_first8"), stream[0, -1, ..8]);
            Near(Numbers(expected, "mean_pooled"), stream.mean([1])[0]);
            Near(Numbers(expected, "pooler_first8"), pooled[0, ..8]);
        }
    }

    [SharedFact]
    public void Encoder_OfTextsThatArePadded_GivesTheSame()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = new BertClassifier(BertConfig.Load(SharedData.File("minilm/config.json")), classes: 3);
        var pieces = WordPiece.Load(SharedData.File("minilm/vocab.txt"));
        PretrainedWeights.LoadInto(model, SharedData.File("minilm/model.safetensors"), classes: []);
        model.eval();
        EncodedText[] texts = [pieces.Encode("Hello", null, 128), pieces.Encode("A group of kids is playing.", "Nobody is outside", 128)];

        var (together, _) = new TextBatches(texts, [0, 1], size: 2, padding: 0, seed: 0).ByLength(0);
        var (alone, _) = new TextBatches(texts[..1], [0], size: 1, padding: 0, seed: 0).ByLength(0);

        Near([.. model.call(alone)[0].data<float>().ToArray().Select(value => (double)value)], model.call(together)[0]);
    }

    private static double[] Numbers(JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(number => number.GetDouble())];

    private static void Near(double[] expected, Tensor actual)
    {
        var values = actual.contiguous().data<float>().ToArray();
        Assert.Equal(expected.Length, values.Length);
        Assert.All(expected.Zip(values), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }
}
