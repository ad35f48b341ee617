using Pdp.Samples.Gpt.Network;
using static TorchSharp.torch;

namespace Pdp.Samples.Gpt.Training;

/// <summary>Continues a prompt, a token at a time, each drawn from the likeliest.</summary>
/// <param name="seed">The seed of the draws; models that are to be compared get the same.</param>
/// <param name="tokens">The tokens of the texts' vocabulary; a model may have more, which are never drawn.</param>
internal sealed class Continuation(long seed, int tokens)
{
    private const int Likeliest = 40;
    private const double Temperature = 0.8;

    /// <summary>The tokens after the prompt.</summary>
    /// <param name="model">The model; it is in training mode afterwards if it was before.</param>
    /// <param name="prompt">At least one token.</param>
    /// <param name="count">The number of tokens to write.</param>
    public int[] Of(GptModel model, IReadOnlyList<int> prompt, int count)
    {
        using var noGrad = no_grad();
        var wasTraining = model.training;
        model.eval();
        try
        {
            var random = new SplitMix(seed, epoch: 0, index: -2);
            List<int> text = [.. prompt];
            for (var written = 0; written < count; written++)
            {
                text.Add(Next(model, [.. text.TakeLast(model.Config.NPositions)], random.Unit()));
            }

            return [.. text.Skip(prompt.Count)];
        }
        finally
        {
            model.train(wasTraining);
        }
    }

    private int Next(GptModel model, int[] text, double draw)
    {
        using var scope = NewDisposeScope();
        using var input = tensor([.. text.Select(token => (long)token)], device: model.Device).unsqueeze(0);
        var logits = model.Last(input, places: 1).flatten().cpu().data<float>().ToArray();
        var likeliest = logits.Take(tokens).Index()
            .OrderByDescending(token => token.Item).ThenBy(token => token.Index).Take(Likeliest).ToArray();
        double[] weights = [.. likeliest.Select(token => Math.Exp((token.Item - likeliest[0].Item) / Temperature))];
        var left = draw * weights.Sum();
        var chosen = 0;
        while (chosen < weights.Length - 1 && left >= weights[chosen])
        {
            left -= weights[chosen++];
        }

        return likeliest[chosen].Index;
    }
}
