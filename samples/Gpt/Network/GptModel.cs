using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Gpt.Network;

/// <summary>A GPT-2 that predicts the next token. The output layer is the embedding, one matrix with one name.</summary>
internal sealed class GptModel : Module<Tensor, Tensor>
{
    /// <summary>The standard deviation of fresh weights, as in GPT-2.</summary>
    private const double Spread = 0.02;

    private readonly GptTransformer transformer;

    public GptModel(GptConfig config)
        : base(nameof(GptModel))
    {
        Config = config;
        transformer = new GptTransformer(config);
        RegisterComponents();
        Initialize();
    }

    /// <summary>The sizes.</summary>
    public GptConfig Config { get; }

    /// <summary>Where it is.</summary>
    public Device Device => transformer.Tokens.device;

    /// <summary>The weights of the embedding, which are those of the output layer.</summary>
    public long TiedWeights => transformer.Tokens.numel();

    /// <summary>The logits of the token after each.</summary>
    /// <param name="tokens"><c>[texts, length]</c>, int64.</param>
    /// <returns><c>[texts, length, tokens]</c>.</returns>
    public override Tensor forward(Tensor tokens) => Last(tokens, tokens.size(1));

    /// <summary>The same for the last places alone.</summary>
    /// <param name="tokens"><c>[texts, length]</c>, int64.</param>
    /// <param name="places">The number of places.</param>
    /// <returns><c>[texts, places, tokens]</c>.</returns>
    public Tensor Last(Tensor tokens, long places)
    {
        using var scope = NewDisposeScope();
        var stream = transformer.call(tokens);
        var read = stream.narrow(1, stream.size(1) - places, places);
        return functional.linear(read, transformer.Tokens).MoveToOuterDisposeScope();
    }

    // What each layer adds to the stream starts smaller the more layers there are.
    private void Initialize()
    {
        using var _ = no_grad();
        foreach (var (name, weight) in named_parameters())
        {
            if (name.EndsWith(".bias", StringComparison.Ordinal))
            {
                init.zeros_(weight);
            }
            else if (!name.Contains("ln_", StringComparison.Ordinal))
            {
                var isAdded = name.EndsWith("c_proj.weight", StringComparison.Ordinal);
                init.normal_(weight, 0, isAdded ? Spread / Math.Sqrt(2 * Config.NLayer) : Spread);
            }
        }
    }
}
