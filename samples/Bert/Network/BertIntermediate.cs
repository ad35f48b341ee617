using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Bert.Network;

/// <summary>The wide half of the feed-forward layers, with the exact GELU.</summary>
internal sealed class BertIntermediate : Module<Tensor, Tensor>
{
    private readonly Linear dense;

    public BertIntermediate(BertConfig config)
        : base(nameof(BertIntermediate))
    {
        dense = Linear(config.HiddenSize, config.IntermediateSize);
        RegisterComponents();
    }

    public override Tensor forward(Tensor stream)
    {
        using var scope = NewDisposeScope();
        return functional.gelu(dense.call(stream)).MoveToOuterDisposeScope();
    }
}
