using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pdp.Samples.Bert.Network;

/// <summary>The sizes of a BERT encoder, as Hugging Face's config.json gives them.</summary>
internal sealed record BertConfig
{
    private const string Absolute = "absolute";
    private const string Bert = "bert";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>The width of the stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>The number of layers.</summary>
    public required int NumHiddenLayers { get; init; }

    /// <summary>The number of attention heads of a layer.</summary>
    public required int NumAttentionHeads { get; init; }

    /// <summary>The width of the feed-forward layers.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>The activation of the feed-forward layers; gelu, the exact one, is the only one supported.</summary>
    public string HiddenAct { get; init; } = "gelu";

    /// <summary>How places are told; absolute, by an embedding, is the only one supported.</summary>
    public string PositionEmbeddingType { get; init; } = Absolute;

    /// <summary>The kind of model; bert is the only one supported, as others with its names compute something else.</summary>
    public string ModelType { get; init; } = Bert;

    /// <summary>What the norms add to the variance.</summary>
    public double LayerNormEps { get; init; } = 1e-12;

    /// <summary>The longest text, in tokens.</summary>
    public int MaxPositionEmbeddings { get; init; } = 512;

    /// <summary>The number of segments; a pair of texts has two.</summary>
    public int TypeVocabSize { get; init; } = 2;

    /// <summary>The number of tokens.</summary>
    public required int VocabSize { get; init; }

    /// <summary>The number of the token that fills short texts.</summary>
    public int PadTokenId { get; init; }

    /// <summary>The share of activations that training drops.</summary>
    public double HiddenDropoutProb { get; init; } = 0.1;

    /// <summary>The share of attention weights that training drops.</summary>
    public double AttentionProbsDropoutProb { get; init; } = 0.1;

    /// <summary>The width of a head.</summary>
    [JsonIgnore]
    public int HeadSize => HiddenSize / NumAttentionHeads;

    /// <summary>Reads a config.json.</summary>
    /// <exception cref="InvalidDataException">It is not the JSON of a BERT that can be built; the message names the entry.</exception>
    public static BertConfig Load(string path)
    {
        try
        {
            var config = JsonSerializer.Deserialize<BertConfig>(File.ReadAllText(path), Json);
            return config is null ? throw new InvalidDataException($"'{path}' is the JSON null.")
                : config.Fault is { } fault ? throw new InvalidDataException($"'{path}' can't be used: {fault}.")
                : config;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"'{path}' is not a BERT's config.json: {e.Message}", e);
        }
    }

    private string? Fault =>
        Sizes().FirstOrDefault(size => size.Value < 1) is { Name: { } name } small ? $"{name} is {small.Value}, and must be at least 1"
        : HiddenSize % NumAttentionHeads != 0 ? $"hidden_size {HiddenSize} can't be divided by num_attention_heads {NumAttentionHeads}"
        : HiddenAct != "gelu" ? $"hidden_act is '{HiddenAct}'; only gelu is supported"
        : PositionEmbeddingType != Absolute ? $"position_embedding_type is '{PositionEmbeddingType}'; only {Absolute} is supported"
        : ModelType != Bert ? $"model_type is '{ModelType}'; only {Bert} is supported"
        : PadTokenId < 0 || PadTokenId >= VocabSize ? $"pad_token_id {PadTokenId} is not in the vocabulary of {VocabSize}"
        : HiddenDropoutProb is not (>= 0 and < 1) || AttentionProbsDropoutProb is not (>= 0 and < 1) ? "a dropout is not in [0, 1)"
        : LayerNormEps is > 0 and < 1 ? null : "layer_norm_eps is not in (0, 1)";

    private (string Name, int Value)[] Sizes() =>
    [
        ("hidden_size", HiddenSize), ("num_hidden_layers", NumHiddenLayers), ("num_attention_heads", NumAttentionHeads),
        ("intermediate_size", IntermediateSize), ("max_position_embeddings", MaxPositionEmbeddings),
        ("type_vocab_size", TypeVocabSize), ("vocab_size", VocabSize),
    ];
}
