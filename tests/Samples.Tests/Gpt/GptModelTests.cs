using Pdp.Samples.Gpt;
using Pdp.Samples.Gpt.Network;
using Pdp.Samples.Gpt.Text;
using Pdp.Samples.Transformers;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.Gpt;

public sealed class GptModelTests : IDisposable
{
    private static readonly int[] Text = [3, 1, 4, 1, 5, 9];

    private readonly TemporaryFolder _folder = new();
    private readonly SmallGpt _small = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("transformer.")]
    public void Logits_OfWeightsInHuggingFacesForm_AreThoseOfPlainLoops(string prefix)
    {
        _small.Write(_folder.Path, prefix);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = Load();

        var logits = model.call(Windows.Of(Text, [0], Text.Length))[0];

        double[] expected = [.. _small.Logits(Text).SelectMany(row => row)];
        Assert.Equal([Text.Length, SmallGpt.Tokens], logits.shape);
        Assert.All(expected.Zip(logits.data<float>().ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        Assert.Equal(logits[4..].data<float>().ToArray(), model.Last(Windows.Of(Text, [0], Text.Length), places: 2)[0]
            .data<float>().ToArray(), (one, other) => Math.Abs(one - other) < 1e-6);
    }

    [Fact]
    public void Save_WritesHuggingFacesForm_AndIsReadAgainBitForBit()
    {
        _small.Write(_folder.Path);
        using var scope = NewDisposeScope();
        using var model = Load();
        using var again = new GptModel(model.Config);

        GptWeights.Save(model, _folder.File("saved.safetensors"), new Characters("abc"));
        GptWeights.LoadInto(again, _folder.File("saved.safetensors"), new Characters("abc"));

        Assert.Equal(
            [SmallGpt.Width, SmallGpt.Inner], Safetensors.Load(_folder.File("saved.safetensors"))["transformer.h.0.mlp.c_fc.weight"].shape);
        Assert.All(model.state_dict(), entry => Assert.True(entry.Value.Equals(again.state_dict()[entry.Key])));
        var error = Assert.Throws<InvalidDataException>(
            () => GptWeights.LoadInto(again, _folder.File("saved.safetensors"), new Characters("abd")));
        Assert.Contains("was trained on other tokens: 3 characters", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LoadInto_OfAnOutputLayerThatIsTheEmbedding_TakesItOnce()
    {
        _small.Write(_folder.Path, change: tensors => tensors["lm_head.weight"] = tensors["wte.weight"]);

        using var model = Load();

        Assert.Single(model.named_parameters(), entry => entry.parameter.shape.SequenceEqual([SmallGpt.Tokens, SmallGpt.Width]));
        Assert.Equal(SmallGpt.Tokens * SmallGpt.Width, model.TiedWeights);
    }

    [Fact]
    public void Attach_LeavesEmbeddingsDense()
    {
        _small.Write(_folder.Path);
        using var model = Load();

        using var pruner = new PdpPruner(model, new PdpOptions { Epochs = 1, Sparsity = 0.5 });

        Assert.Equal(8, pruner.Masks.Count);
        Assert.All(pruner.Masks, mask => Assert.StartsWith("transformer.h.", mask.Name, StringComparison.Ordinal));
    }

    [Fact]
    public void Attach_WithAMaximum_PlansNoMoreForAnyLayer()
    {
        _small.Write(_folder.Path);
        using var model = Load();
        var settings = new Settings { Method = "pdp", Sparsity = 0.5, MaximumLayerSparsity = 0.51 };

        using var pruner = TransformerPruning.Attach(settings, model, exclude: [])!;

        Assert.All(pruner.Plan().Layers.Where(layer => layer.Removed > 0), layer => Assert.InRange(layer.Sparsity, 0.4, 0.511));
    }

    [Theory]
    [InlineData("has an output layer of its own (lm_head.weight)", "lm_head.weight", 1)]
    [InlineData("it lacks transformer.h.1.ln_2.bias; it has transformer.h.0.attn.c_attn.bias", "h.1.ln_2.bias", -1)]
    [InlineData("h.2.ln_1.bias", "h.2.ln_1.bias", 1)]
    [InlineData("transformer.ln_f.weight", "ln_f.weight", 1)]
    public void LoadInto_OfAnotherModel_NamesWhatDiffers(string expected, string name, int added)
    {
        _small.Write(_folder.Path, change: tensors =>
        {
            tensors.Remove(name);
            if (added > 0)
                tensors[name] = zeros(added);
        });

        var error = Assert.Throws<InvalidDataException>(() => Load().Dispose());

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"n_head\": 2", "\"n_head\": 3", "n_embd 8 can't be divided by n_head 3")]
    [InlineData("gelu_new", "relu", "activation_function is 'relu'")]
    [InlineData("\"n_layer\": 2", "\"n_layer\": 0", "n_layer is 0, and must be at least 1")]
    [InlineData("\"n_embd\": 8,", "", "is not a GPT-2's config.json")]
    [InlineData("\"n_embd\": 8,", "\"n_embd\": 8, \"tie_word_embeddings\": false,", "tie_word_embeddings is false")]
    [InlineData("\"n_embd\": 8,", "\"n_embd\": 8, \"scale_attn_weights\": false,", "scale_attn_weights is false")]
    [InlineData(
        "\"n_embd\": 8,", "\"n_embd\": 8, \"scale_attn_by_inverse_layer_idx\": true,", "scale_attn_by_inverse_layer_idx is true")]
    [InlineData("\"vocab_size\": 11", "\"vocab_size\": 4", "the texts have 5 kinds of tokens, but config.json a vocab_size of 4")]
    public void Load_OfAConfigThatIsWrong_SaysWhatIs(string right, string wrong, string expected)
    {
        _small.Write(_folder.Path);
        File.WriteAllText(_folder.File("config.json"), SmallGpt.Json.Replace(right, wrong, StringComparison.Ordinal));

        var error = Assert.Throws<InvalidDataException>(() => new GptFolder(_folder.Path).Load(tokens: 5, length: 6));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OfEntriesThatLeaveTheNetworkAsItIs_TakesThem()
    {
        _small.Write(_folder.Path);
        const string more = "\"n_embd\": 8, \"scale_attn_weights\": true, \"reorder_and_upcast_attn\": true,";
        File.WriteAllText(_folder.File("config.json"), SmallGpt.Json.Replace("\"n_embd\": 8,", more, StringComparison.Ordinal));

        Assert.Equal(8, new GptFolder(_folder.Path).Load(tokens: 5, length: 6).NEmbd);
    }

    private GptModel Load()
    {
        var folder = new GptFolder(_folder.Path);
        var model = new GptModel(folder.Load(SmallGpt.Tokens, SmallGpt.Positions));
        model.eval();
        GptWeights.LoadInto(model, folder.WeightsFile);
        return model;
    }
}
