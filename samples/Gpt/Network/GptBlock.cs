using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Gpt.Network;

/// <summary>A layer: attention and the feed-forward layers, each added to the stream and reading it normalised.</summary>
internal sealed class GptBlock : Module<Tensor, Tensor>
{
    private static readonly Scalar One = 1.ToScalar();

    private readonly LayerNorm ln_1;
    private readonly GptAttention attn;
    private readonly LayerNorm ln_2;
    private readonly GptFeedForward mlp;

    public GptBlock(GptConfig config)
        : base(nameof(GptBlock))
    {
        ln_1 = LayerNorm(config.NEmbd, config.LayerNormEpsilon);
        attn = new GptAttention(config);
        ln_2 = LayerNorm(config.NEmbd, config.LayerNormEpsilon);
        mlp = new GptFeedForward(config);
        RegisterComponents();
    }

    public override Tensor forward(Tensor stream)
    {
        using var scope = NewDisposeScope();
        var attended = stream.add(attn.call(ln_1.call(stream)), One);
        return attended.add(mlp.call(ln_2.call(attended)), One).MoveToOuterDisposeScope();
    }
}
