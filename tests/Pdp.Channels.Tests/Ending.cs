using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Channels;

/// <summary>Two layers, and a function of their output.</summary>
internal sealed class Ending : Module<Tensor, Tensor>
{
    private readonly Func<Tensor, Tensor> _end;
    private readonly Linear first = Linear(6, 8);
    private readonly Linear second = Linear(8, 3);

    public Ending(Func<Tensor, Tensor> end)
        : base(nameof(Ending))
    {
        _end = end;
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return _end(second.call(functional.relu(first.call(input)))).MoveToOuterDisposeScope();
    }
}
