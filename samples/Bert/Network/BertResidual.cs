using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Bert.Network;

/// <summary>A linear layer whose output is added to the stream, which is then normalised: BERT's "output".</summary>
internal sealed class BertResidual : Module<Tensor, Tensor, Tensor>
{
    private static readonly Scalar One = 1.ToScalar();

    private readonly Linear dense;
    private readonly LayerNorm LayerNorm;
    private readonly Dropout dropout;

    public BertResidual(int inputs, BertConfig config)
        : base(nameof(BertResidual))
    {
        dense = Linear(inputs, config.HiddenSize);
        LayerNorm = nn.LayerNorm(config.HiddenSize, config.LayerNormEps);
        dropout = Dropout(config.HiddenDropoutProb);
        RegisterComponents();
    }

    /// <param name="input"><c>[texts, length, inputs]</c>.</param>
    /// <param name="stream"><c>[texts, length, width]</c>.</param>
    public override Tensor forward(Tensor input, Tensor stream)
    {
        using var scope = NewDisposeScope();
        return LayerNorm.call(dropout.call(dense.call(input)).add(stream, One)).MoveToOuterDisposeScope();
    }
}
