using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Benchmarks;

/// <summary>A GPT of 0.8 M weights as one trains on characters: four blocks of width 128 on 64 tokens, from Linear layers.</summary>
internal sealed class Gpt : Module<Tensor, Tensor>
{
    public const int Width = 128;

    private readonly ModuleList<Block> blocks = new([.. Enumerable.Range(0, 4).Select(_ => new Block())]);
    private readonly Linear head = Linear(Width, 65);

    public Gpt()
        : base(nameof(Gpt)) => RegisterComponents();

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = input;
        foreach (var block in blocks)
            x = block.call(x);
        return head.call(x).flatten(0, 1).MoveToOuterDisposeScope();
    }

    private sealed class Block : Module<Tensor, Tensor>
    {
        private const int Heads = 4;

        private readonly LayerNorm norm1 = LayerNorm(Width);
        private readonly LayerNorm norm2 = LayerNorm(Width);
        private readonly Linear qkv = Linear(Width, 3 * Width);
        private readonly Linear project = Linear(Width, Width);
        private readonly Linear fc1 = Linear(Width, 4 * Width);
        private readonly Linear fc2 = Linear(4 * Width, Width);

        public Block()
            : base(nameof(Block)) => RegisterComponents();

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var x = input + Attention(norm1.call(input));
            return (x + fc2.call(functional.gelu(fc1.call(norm2.call(x))))).MoveToOuterDisposeScope();
        }

        private Tensor Attention(Tensor x)
        {
            var (batch, tokens) = (x.shape[0], x.shape[1]);
            var parts = qkv.call(x).view(batch, tokens, 3, Heads, Width / Heads).permute(2, 0, 3, 1, 4).unbind(0);
            var mixed = functional.scaled_dot_product_attention(parts[0], parts[1], parts[2], is_casual: true);
            return project.call(mixed.transpose(1, 2).reshape(batch, tokens, Width));
        }
    }
}
