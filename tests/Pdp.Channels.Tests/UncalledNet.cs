using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Channels;

/// <summary>Layers that are called, and one that may be run past its hooks.</summary>
internal sealed class UncalledNet : Module<Tensor, Tensor>
{
    internal readonly Linear forwarded = Linear(4, 3);
    internal readonly Linear frozen = Linear(3, 2);
    internal readonly Linear unused = Linear(4, 3);

    public UncalledNet()
        : base(nameof(UncalledNet))
    {
        RegisterComponents();
    }

    public bool IsCalled { get; init; }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = IsCalled ? forwarded.call(input) : forwarded.forward(input);
        return frozen.call(x).MoveToOuterDisposeScope();
    }
}
