using Pdp.Samples.Transformers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Bert.Network;

/// <summary>The sum of the embeddings of token, position and segment, normalised. Names are Hugging Face's.</summary>
internal sealed class BertEmbeddings : Module<Tensor, Tensor, Tensor>
{
    private static readonly Scalar One = 1.ToScalar();

    private readonly Embedding word_embeddings;
    private readonly Embedding position_embeddings;
    private readonly Embedding token_type_embeddings;
    private readonly LayerNorm LayerNorm;
    private readonly Dropout dropout;

    public BertEmbeddings(BertConfig config)
        : base(nameof(BertEmbeddings))
    {
        word_embeddings = Embedding(config.VocabSize, config.HiddenSize, padding_idx: config.PadTokenId);
        position_embeddings = Embedding(config.MaxPositionEmbeddings, config.HiddenSize);
        token_type_embeddings = Embedding(config.TypeVocabSize, config.HiddenSize);
        LayerNorm = nn.LayerNorm(config.HiddenSize, config.LayerNormEps);
        dropout = Dropout(config.HiddenDropoutProb);
        RegisterComponents();
    }

    /// <param name="tokens"><c>[texts, length]</c>, int64.</param>
    /// <param name="segments"><c>[texts, length]</c>, int64.</param>
    /// <returns><c>[texts, length, width]</c>.</returns>
    public override Tensor forward(Tensor tokens, Tensor segments)
    {
        using var scope = NewDisposeScope();
        var places = Positions.Of(tokens);
        var sum = word_embeddings.call(tokens).add(token_type_embeddings.call(segments), One).add(position_embeddings.call(places), One);
        return dropout.call(LayerNorm.call(sum)).MoveToOuterDisposeScope();
    }
}
