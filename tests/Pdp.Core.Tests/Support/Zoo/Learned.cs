using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>A parameter of a network's own, outside of any layer.</summary>
internal sealed class Learned : Module
{
    public readonly Parameter value;

    public Learned(params long[] shape)
        : base(nameof(Learned))
    {
        value = new(randn(shape));
        RegisterComponents();
    }
}
