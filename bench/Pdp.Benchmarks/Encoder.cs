using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Benchmarks;

/// <summary>Six transformer layers of width 384 with a classifier per token.</summary>
internal sealed class Encoder : Module<Tensor, Tensor>
{
    public const int Width = 384;

    private readonly TransformerEncoder encoder = TransformerEncoder(TransformerEncoderLayer(Width, 6, 4 * Width, dropout: 0), 6);
    private readonly Linear head = Linear(Width, 100);

    public Encoder()
        : base(nameof(Encoder)) => RegisterComponents();

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return head.call(encoder.call(input, null, null)).flatten(0, 1).MoveToOuterDisposeScope();
    }
}
