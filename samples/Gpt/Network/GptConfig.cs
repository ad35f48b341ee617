using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pdp.Samples.Gpt.Network;

/// <summary>The sizes of a GPT-2, as Hugging Face's config.json gives them.</summary>
internal sealed record GptConfig
{
    /// <summary>The longest text of GPT-2, in tokens.</summary>
    private const int UsualPositions = 1024;

    private static readonly string[] Activations = ["gelu_new", "gelu_pytorch_tanh"];

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>The number of tokens.</summary>
    public required int VocabSize { get; init; }

    /// <summary>The longest text, in tokens.</summary>
    public int NPositions { get; init; } = UsualPositions;

    /// <summary>The width of the stream.</summary>
    public required int NEmbd { get; init; }

    /// <summary>The number of layers.</summary>
    public required int NLayer { get; init; }

    /// <summary>The number of attention heads of a layer.</summary>
    public required int NHead { get; init; }

    /// <summary>The width of the feed-forward layers; null for four times that of the stream.</summary>
    public int? NInner { get; init; }

    /// <summary>The activation of the feed-forward layers: only the tanh form of GELU is supported.</summary>
    public string ActivationFunction { get; init; } = "gelu_new";

    /// <summary>What the norms add to the variance.</summary>
    public double LayerNormEpsilon { get; init; } = 1e-5;

    /// <summary>The share of embeddings that training drops.</summary>
    public double EmbdPdrop { get; init; } = 0.1;

    /// <summary>The share of what a layer adds to the stream that training drops.</summary>
    public double ResidPdrop { get; init; } = 0.1;

    /// <summary>The share of attention weights that training drops.</summary>
    public double AttnPdrop { get; init; } = 0.1;

    /// <summary>Whether the output layer is the embedding; nothing else is supported.</summary>
    public bool TieWordEmbeddings { get; init; } = true;

    /// <summary>Whether attention is scaled by the width of a head; nothing else is supported.</summary>
    public bool ScaleAttnWeights { get; init; } = true;

    /// <summary>Whether attention is also scaled by the number of its layer, which is not supported.</summary>
    public bool ScaleAttnByInverseLayerIdx { get; init; }

    /// <summary>The width of the feed-forward layers.</summary>
    [JsonIgnore]
    public int InnerWidth => NInner ?? 4 * NEmbd;

    /// <summary>The sizes that go by a name.</summary>
    /// <param name="name">tiny, small or gpt2.</param>
    /// <param name="tokens">The number of tokens.</param>
    /// <param name="positions">The longest text; GPT-2 itself has 1,024 positions at least.</param>
    public static GptConfig Preset(string name, int tokens, int positions)
    {
        var (width, layers, heads) = name switch
        {
            "tiny" => (128, 4, 4),
            "small" => (384, 6, 6),
            _ => (768, 12, 12),
        };
        return new()
        {
            VocabSize = tokens,
            NPositions = name == "gpt2" ? Math.Max(UsualPositions, positions) : positions,
            NEmbd = width,
            NLayer = layers,
            NHead = heads,
        };
    }

    /// <summary>Reads a config.json.</summary>
    /// <exception cref="InvalidDataException">It is not the JSON of a GPT-2 that can be built; the message names the entry.</exception>
    public static GptConfig Load(string path)
    {
        try
        {
            var config = JsonSerializer.Deserialize<GptConfig>(File.ReadAllText(path), Json);
            return config is null ? throw new InvalidDataException($"'{path}' is the JSON null.")
                : config.Fault is { } fault ? throw new InvalidDataException($"'{path}' can't be used: {fault}.")
                : config;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"'{path}' is not a GPT-2's config.json: {e.Message}", e);
        }
    }

    private string? Fault =>
        Sizes().FirstOrDefault(size => size.Value < 1) is { Name: { } name } small ? $"{name} is {small.Value}, and must be at least 1"
        : NEmbd % NHead != 0 ? $"n_embd {NEmbd} can't be divided by n_head {NHead}"
        : !Activations.Contains(ActivationFunction) ? $"activation_function is '{ActivationFunction}'; only {Activations[0]} is supported"
        : !TieWordEmbeddings ? "tie_word_embeddings is false; only an output layer that is the embedding is supported"
        : !ScaleAttnWeights ? "scale_attn_weights is false; only attention that is scaled by the width of a head is supported"
        : ScaleAttnByInverseLayerIdx ? "scale_attn_by_inverse_layer_idx is true; only the same scale in all layers is supported"
        : new[] { EmbdPdrop, ResidPdrop, AttnPdrop }.Any(share => share is not (>= 0 and < 1)) ? "a dropout is not in [0, 1)"
        : LayerNormEpsilon is > 0 and < 1 ? null : "layer_norm_epsilon is not in (0, 1)";

    private (string Name, int Value)[] Sizes() =>
    [
        ("vocab_size", VocabSize), ("n_positions", NPositions), ("n_embd", NEmbd), ("n_layer", NLayer), ("n_head", NHead),
        ("n_inner", InnerWidth),
    ];
}
