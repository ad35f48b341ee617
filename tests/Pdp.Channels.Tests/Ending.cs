using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Channels;

/// <summary>Two layers, of the same numbers in each instance, and a function of their output.</summary>
internal sealed class Ending : Module<Tensor, Tensor>
{
    private readonly Func<Tensor, Tensor> _end;
    private readonly Linear first;
    private readonly Linear second;

    public Ending(Func<Tensor, Tensor> end)
        : base(nameof(Ending))
    {
        manual_seed(3);
        (_end, first, second) = (end, Linear(6, 8), Linear(8, 3));
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return _end(second.call(functional.relu(first.call(input)))).MoveToOuterDisposeScope();
    }
}
