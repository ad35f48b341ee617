using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Bert.Network;

/// <summary>Attention of several heads over the tokens of a text.</summary>
internal sealed class BertSelfAttention : Module<Tensor, Tensor, Tensor>
{
    private readonly Linear query;
    private readonly Linear key;
    private readonly Linear value;
    private readonly int _heads;
    private readonly double _dropout;

    public BertSelfAttention(BertConfig config)
        : base(nameof(BertSelfAttention))
    {
        query = Linear(config.HiddenSize, config.HiddenSize);
        key = Linear(config.HiddenSize, config.HiddenSize);
        value = Linear(config.HiddenSize, config.HiddenSize);
        _heads = config.NumAttentionHeads;
        _dropout = config.AttentionProbsDropoutProb;
        RegisterComponents();
    }

    /// <param name="input"><c>[texts, length, width]</c>.</param>
    /// <param name="isText">Which tokens may be attended to, <c>[texts, 1, 1, length]</c>, bool.</param>
    /// <returns><c>[texts, length, width]</c>.</returns>
    public override Tensor forward(Tensor input, Tensor isText)
    {
        using var scope = NewDisposeScope();
        var (queries, keys, values) = (Heads(query.call(input)), Heads(key.call(input)), Heads(value.call(input)));
        var mixed = functional.scaled_dot_product_attention(queries, keys, values, isText, training ? _dropout : 0);
        return mixed.transpose(1, 2).flatten(2).MoveToOuterDisposeScope();
    }

    // [texts, heads, length, width of a head]
    private Tensor Heads(Tensor stream) => stream.unflatten(2, _heads, -1).transpose(1, 2);
}
