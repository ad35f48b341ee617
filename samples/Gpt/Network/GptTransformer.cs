using Pdp.Samples.Transformers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Gpt.Network;

/// <summary>GPT-2 without its output layer (Radford et al. 2019), with Hugging Face's names.</summary>
internal sealed class GptTransformer : Module<Tensor, Tensor>
{
    private static readonly Scalar One = 1.ToScalar();

    private readonly Embedding wte;
    private readonly Embedding wpe;
    private readonly Dropout drop;
    private readonly ModuleList<GptBlock> h;
    private readonly LayerNorm ln_f;

    public GptTransformer(GptConfig config)
        : base(nameof(GptTransformer))
    {
        wte = Embedding(config.VocabSize, config.NEmbd);
        wpe = Embedding(config.NPositions, config.NEmbd);
        drop = Dropout(config.EmbdPdrop);
        h = new([.. Enumerable.Range(0, config.NLayer).Select(_ => new GptBlock(config))]);
        ln_f = LayerNorm(config.NEmbd, config.LayerNormEpsilon);
        RegisterComponents();
    }

    /// <summary>The embeddings of the tokens, <c>[tokens, width]</c>.</summary>
    public Parameter Tokens => wte.weight!;

    /// <param name="tokens"><c>[texts, length]</c>, int64.</param>
    /// <returns><c>[texts, length, width]</c>.</returns>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var places = Positions.Of(tokens);
        var stream = drop.call(wte.call(tokens).add(wpe.call(places), One));
        return ln_f.call(h.Aggregate(stream, (before, block) => block.call(before))).MoveToOuterDisposeScope();
    }
}
