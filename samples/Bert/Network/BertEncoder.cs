using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Bert.Network;

/// <summary>The layers, one after another.</summary>
internal sealed class BertEncoder : Module<Tensor, Tensor, Tensor>
{
    private readonly ModuleList<BertLayer> layer;

    public BertEncoder(BertConfig config)
        : base(nameof(BertEncoder))
    {
        layer = new([.. Enumerable.Range(0, config.NumHiddenLayers).Select(_ => new BertLayer(config))]);
        RegisterComponents();
    }

    public override Tensor forward(Tensor stream, Tensor isText)
    {
        using var scope = NewDisposeScope();
        return layer.Aggregate(stream, (before, next) => next.call(before, isText)).MoveToOuterDisposeScope();
    }
}
