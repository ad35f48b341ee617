using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Gpt.Network;

/// <summary>Two layers with the tanh form of GELU between them. Names are Hugging Face's.</summary>
internal sealed class GptFeedForward : Module<Tensor, Tensor>
{
    private readonly Linear c_fc;
    private readonly Linear c_proj;
    private readonly GELU activation;
    private readonly Dropout dropout;

    public GptFeedForward(GptConfig config)
        : base(nameof(GptFeedForward))
    {
        c_fc = Linear(config.NEmbd, config.InnerWidth);
        c_proj = Linear(config.InnerWidth, config.NEmbd);
        activation = GELU(TorchSharp.Modules.GELU.Approximate.tanh);
        dropout = Dropout(config.ResidPdrop);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return dropout.call(c_proj.call(activation.call(c_fc.call(input)))).MoveToOuterDisposeScope();
    }
}
