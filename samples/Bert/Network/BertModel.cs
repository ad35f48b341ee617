using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Bert.Network;

/// <summary>BERT's encoder with its pooler (Devlin et al. 2019), with Hugging Face's names.</summary>
internal sealed class BertModel : Module<TokenBatch, (Tensor Stream, Tensor Pooled)>
{
    private readonly BertEmbeddings embeddings;
    private readonly BertEncoder encoder;
    private readonly BertPooler pooler;

    public BertModel(BertConfig config)
        : base(nameof(BertModel))
    {
        embeddings = new BertEmbeddings(config);
        encoder = new BertEncoder(config);
        pooler = new BertPooler(config);
        RegisterComponents();
    }

    /// <returns>The stream after the last layer, <c>[texts, length, width]</c>, and the texts as wholes, <c>[texts, width]</c>.</returns>
    public override (Tensor Stream, Tensor Pooled) forward(TokenBatch batch)
    {
        using var scope = NewDisposeScope();
        var isText = batch.IsText.unsqueeze(1).unsqueeze(1);
        var stream = encoder.call(embeddings.call(batch.Tokens, batch.Segments), isText);
        var pooled = pooler.call(stream);
        return (stream.MoveToOuterDisposeScope(), pooled.MoveToOuterDisposeScope());
    }
}
