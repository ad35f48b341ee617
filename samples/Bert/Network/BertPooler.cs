using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Bert.Network;

/// <summary>What stands for a whole text: the first token through a linear layer and tanh.</summary>
internal sealed class BertPooler : Module<Tensor, Tensor>
{
    private readonly Linear dense;

    public BertPooler(BertConfig config)
        : base(nameof(BertPooler))
    {
        dense = Linear(config.HiddenSize, config.HiddenSize);
        RegisterComponents();
    }

    public override Tensor forward(Tensor stream)
    {
        using var scope = NewDisposeScope();
        return dense.call(stream.select(1, 0)).tanh().MoveToOuterDisposeScope();
    }
}
