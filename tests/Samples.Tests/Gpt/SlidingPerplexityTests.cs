using Pdp.Samples.Gpt.Network;
using Pdp.Samples.Gpt.Text;
using Pdp.Samples.Gpt.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.Gpt;

public sealed class SlidingPerplexityTests : IDisposable
{
    private static readonly int[] Text = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2];

    private readonly TemporaryFolder _folder = new();
    private readonly SmallGpt _small = new();
    private readonly GptModel _model;

    public SlidingPerplexityTests()
    {
        _small.Write(_folder.Path);
        var folder = new GptFolder(_folder.Path);
        _model = new GptModel(folder.Load(SmallGpt.Tokens, SmallGpt.Positions));
        GptWeights.LoadInto(_model, folder.WeightsFile);
    }

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    // Each token's context by hand: what of its window comes before it.
    [Theory]
    [InlineData(6, 6, new[] { 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 3, 4, 5, 6 })]
    [InlineData(6, 1, new[] { 1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6 })]
    [InlineData(6, 4, new[] { 1, 2, 3, 4, 5, 6, 3, 4, 5, 6, 3, 4, 5, 6, 5, 6 })]
    [InlineData(5, 2, new[] { 1, 2, 3, 4, 5, 4, 5, 4, 5, 4, 5, 4, 5, 4, 5, 5 })]
    public void Of_TellsEachTokenOnceFromItsWindow(int length, int stride, int[] contexts)
    {
        double NegativeLogarithm(int token)
        {
            var logits = _small.Logits(Text[(token - contexts[token - 1])..token])[^1];
            return Math.Log(logits.Sum(Math.Exp)) - logits[Text[token]];
        }

        var perplexity = new SlidingPerplexity(new TokenText("test", Text), length, stride).Of(_model);

        Assert.Equal(Math.Exp(Enumerable.Range(1, Text.Length - 1).Average(NegativeLogarithm)), perplexity, 1e-4);
    }

    [Fact]
    public void Of_ATextShorterThanAWindow_TakesItWhole()
    {
        int[] text = [3, 1, 4];

        var perplexity = new SlidingPerplexity(new TokenText("test", text), length: 6, stride: 3).Of(_model);

        var logits = _small.Logits(text);
        var loss = Enumerable.Range(0, 2).Average(i => Math.Log(logits[i].Sum(Math.Exp)) - logits[i][text[i + 1]]);
        Assert.Equal(Math.Exp(loss), perplexity, 1e-4);
    }

    [Fact]
    public void Of_AModelThatKnowsNothing_IsTheNumberOfTokens()
    {
        using (no_grad())
            foreach (var weight in _model.parameters())
                weight.zero_();

        Assert.Equal(SmallGpt.Tokens, new SlidingPerplexity(new TokenText("test", Text), 6, 4).Of(_model), 1e-4);
        Assert.True(_model.training);
    }

    [Theory]
    [InlineData(1, 6, 3, "has 1 tokens; there is nothing to predict")]
    [InlineData(9, 6, 7, "--stride 7 is more than a window of 6")]
    public void New_OfWhatCannotBeMeasured_SaysSo(int tokens, int length, int stride, string expected)
    {
        var error = Assert.Throws<ArgumentException>(() => new SlidingPerplexity(new TokenText("test", Text[..tokens]), length, stride));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Continuation_UnderTheSameDraws_IsTheSameText()
    {
        var text = new Continuation(seed: 1, SmallGpt.Tokens).Of(_model, [3, 1], count: 12);

        Assert.Equal(12, text.Length);
        Assert.Equal(text, new Continuation(seed: 1, SmallGpt.Tokens).Of(_model, [3, 1], count: 12));
        Assert.NotEqual(text, new Continuation(seed: 2, SmallGpt.Tokens).Of(_model, [3, 1], count: 12));
        Assert.True(_model.training);
    }

    [Fact]
    public void Continuation_OfAVocabularySmallerThanTheModels_KeepsToIt()
    {
        var text = new Continuation(seed: 1, tokens: 4).Of(_model, [3, 1], count: 50);

        Assert.All(text, token => Assert.InRange(token, 0, 3));
    }
}
