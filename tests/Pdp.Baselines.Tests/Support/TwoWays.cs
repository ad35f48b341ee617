using Pdp.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Baselines.Tests.Support;

/// <summary>A layer whose output goes on twice: straight, and through two others.</summary>
internal sealed class TwoWays : Module<Tensor, Tensor>
{
    private static readonly Scalar One = 1.0;

    private readonly bool _byForward;
    private readonly Linear first = Linear(5, 6);
    private readonly Linear inner = Linear(6, 7);
    private readonly Linear back = Linear(7, 6);
    private readonly Linear last = Linear(6, 3);

    public TwoWays(bool byForward = false)
        : base(nameof(TwoWays))
    {
        _byForward = byForward;
        RegisterComponents();
        foreach (var (i, parameter) in parameters().Index())
            Tensors.Fill(parameter, Tensors.Normal(i, parameter.numel()));
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = functional.relu(first.call(input));
        var branch = functional.relu(_byForward ? inner.forward(x) : inner.call(x));
        return last.call(functional.relu(back.call(branch).add(x, One))).MoveToOuterDisposeScope();
    }
}
