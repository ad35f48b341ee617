using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Bert.Network;

/// <summary>A layer of the encoder: attention, then two feed-forward layers, each normalised after it is added.</summary>
internal sealed class BertLayer : Module<Tensor, Tensor, Tensor>
{
    private readonly BertAttention attention;
    private readonly BertIntermediate intermediate;
    private readonly BertResidual output;

    public BertLayer(BertConfig config)
        : base(nameof(BertLayer))
    {
        attention = new BertAttention(config);
        intermediate = new BertIntermediate(config);
        output = new BertResidual(config.IntermediateSize, config);
        RegisterComponents();
    }

    public override Tensor forward(Tensor stream, Tensor isText)
    {
        using var scope = NewDisposeScope();
        var attended = attention.call(stream, isText);
        return output.call(intermediate.call(attended), attended).MoveToOuterDisposeScope();
    }
}
