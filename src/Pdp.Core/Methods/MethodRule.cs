using Pdp.Masking;
using Pdp.Numerics;
using static TorchSharp.torch;

namespace Pdp.Methods;

/// <summary>The rule of a method other than PDP, for one layer of its run.</summary>
internal sealed class MethodRule(PdpMask mask, IMethodRun run, int layer) : IMaskRule
{
    private Tensor? _masked;

    /// <summary>Never: a method may learn from gradients before it removes anything.</summary>
    public bool IsIdentity => false;

    public bool CountsSteps => run.CountsSteps;

    public void BeginStep() => run.BeginStep(layer);

    public Tensor Enter(Tensor weight, MaskForm form)
    {
        Forget();
        var masked = run.Forward(layer, weight);
        if (form == MaskForm.Raw)
            masked = Zeros.Outside(Spread(run.Kept(layer, weight), weight), weight);
        _masked = masked.DetachFromDisposeScope();
        return _masked;
    }

    public Tensor Again(Tensor weight, MaskForm form) => _masked!;

    /// <summary>The method's backward pass in every form, as the method learns from it.</summary>
    public Tensor Gradient(Tensor weight, Tensor upstream, MaskForm form) => run.Backward(layer, weight, upstream);

    /// <summary>The current hard mask; updates the mask's count from it.</summary>
    public Tensor Kept(Tensor weight)
    {
        var kept = run.Kept(layer, weight);
        mask.CountRemoved(kept);
        return Spread(kept, weight).clone();
    }

    public void Forget()
    {
        _masked?.Dispose();
        _masked = null;
    }

    public void Dispose() => Forget();

    private Tensor Spread(Tensor kept, Tensor weight) => mask.Strategy.Spread(kept, mask.Layout).expand_as(weight);
}
