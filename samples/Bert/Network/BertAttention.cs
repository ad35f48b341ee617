using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Bert.Network;

/// <summary>Attention and what it adds to the stream.</summary>
internal sealed class BertAttention : Module<Tensor, Tensor, Tensor>
{
    private readonly BertSelfAttention self;
    private readonly BertResidual output;

    public BertAttention(BertConfig config)
        : base(nameof(BertAttention))
    {
        self = new BertSelfAttention(config);
        output = new BertResidual(config.HiddenSize, config);
        RegisterComponents();
    }

    public override Tensor forward(Tensor stream, Tensor isText)
    {
        using var scope = NewDisposeScope();
        return output.call(self.call(stream, isText), stream).MoveToOuterDisposeScope();
    }
}
