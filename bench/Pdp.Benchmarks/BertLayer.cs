using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Benchmarks;

/// <summary>
/// A layer of BERT (Devlin et al. 2019): attention, then two linear layers with GELU between them; after each a sum and a norm.
/// </summary>
internal sealed class BertLayer : Module<Tensor, Tensor>
{
    private const int HeadWidth = 64;
    private static readonly Scalar One = 1.ToScalar();

    private readonly Linear query;
    private readonly Linear key;
    private readonly Linear value;
    private readonly Linear output;
    private readonly LayerNorm norm1;
    private readonly Linear up;
    private readonly GELU gelu = GELU();
    private readonly Linear down;
    private readonly LayerNorm norm2;

    public BertLayer(int width)
        : base(nameof(BertLayer))
    {
        query = Linear(width, width);
        key = Linear(width, width);
        value = Linear(width, width);
        output = Linear(width, width);
        norm1 = LayerNorm(width);
        up = Linear(width, 4 * width);
        down = Linear(4 * width, width);
        norm2 = LayerNorm(width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var mixed = functional.scaled_dot_product_attention(Heads(query.call(input)), Heads(key.call(input)), Heads(value.call(input)));
        var attended = norm1.call(input.add(output.call(mixed.transpose(1, 2).flatten(2)), One));
        return norm2.call(attended.add(down.call(gelu.call(up.call(attended))), One)).MoveToOuterDisposeScope();
    }

    /// <summary>Layers one after the other, with the names that a Sequential gives them.</summary>
    public static IEnumerable<(string Name, Module<Tensor, Tensor> Layer)> Stack(int layers, int width) =>
        Enumerable.Range(0, layers).Select(i => ($"{i}", (Module<Tensor, Tensor>)new BertLayer(width)));

    /// <summary>[texts, tokens, width] as [texts, heads, tokens, width of a head].</summary>
    private static Tensor Heads(Tensor x) => x.view(x.size(0), x.size(1), -1, HeadWidth).transpose(1, 2);
}
