using Pdp.Masking;
using Pdp.Numerics;
using static TorchSharp.torch;

namespace Pdp.Methods;

/// <summary>The mask of another method than PDP, for one layer of its run.</summary>
internal sealed class MethodRule(PdpMask mask, IMethodRun run, int layer) : IMaskRule
{
    private GroupValues? _masked;

    /// <summary>Never: a method may learn from gradients before it removes anything.</summary>
    public bool IsIdentity => false;

    public bool CountsSteps => run.CountsSteps;

    /// <summary>The rule of a method for what stands under a mask.</summary>
    public static IMaskRule Of(MaskGroup group, IMethodRun run, int layer) => group.Mask.Strategy is PerChannel
        ? new MethodChannels(group.Mask, group.Slices, run, layer)
        : new MethodRule(group.Mask, run, layer);

    public void BeginStep() => run.BeginStep(layer);

    public GroupValues Enter(GroupValues dense, MaskForm form)
    {
        Forget();
        var masked = run.Forward(layer, dense.Weight);
        if (form == MaskForm.Raw)
            masked = Zeros.Outside(mask.Strategy.Spread(run.Kept(layer, dense.Weight), mask.Layout), dense.Weight);
        _masked = new(masked.DetachFromDisposeScope(), []);
        return _masked;
    }

    public GroupValues Again(GroupValues dense, MaskForm form) => _masked!;

    /// <summary>The method's way back in every form, as it learns by it.</summary>
    public GroupValues Leave(GroupValues dense, GroupValues upstream, MaskForm form) =>
        new(run.Backward(layer, dense.Weight, upstream.Weight), []);

    /// <summary>The current hard mask; updates the mask's count from it.</summary>
    public Tensor Kept(Tensor weight)
    {
        var kept = run.Kept(layer, weight);
        mask.CountRemoved(kept);
        return kept;
    }

    public void Forget()
    {
        _masked?.Release();
        _masked = null;
    }

    public void Dispose() => Forget();
}
