using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Gpt.Network;

/// <summary>Attention of several heads over each token and those before it. Names are Hugging Face's.</summary>
internal sealed class GptAttention : Module<Tensor, Tensor>
{
    private readonly Linear c_attn;
    private readonly Linear c_proj;
    private readonly Dropout dropout;
    private readonly int _heads;
    private readonly double _dropout;

    public GptAttention(GptConfig config)
        : base(nameof(GptAttention))
    {
        c_attn = Linear(config.NEmbd, 3 * config.NEmbd);
        c_proj = Linear(config.NEmbd, config.NEmbd);
        dropout = Dropout(config.ResidPdrop);
        (_heads, _dropout) = (config.NHead, config.AttnPdrop);
        RegisterComponents();
    }

    /// <param name="input"><c>[texts, length, width]</c>.</param>
    /// <returns><c>[texts, length, width]</c>.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var parts = c_attn.call(input).chunk(3, 2);
        var mixed = functional.scaled_dot_product_attention(
            Heads(parts[0]), Heads(parts[1]), Heads(parts[2]), p: training ? _dropout : 0, is_casual: true);
        return dropout.call(c_proj.call(mixed.transpose(1, 2).flatten(2))).MoveToOuterDisposeScope();
    }

    // [texts, heads, length, width of a head]
    private Tensor Heads(Tensor stream) => stream.unflatten(2, _heads, -1).transpose(1, 2);
}
