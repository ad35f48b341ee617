using Pdp.Masking;
using Pdp.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Methods;

/// <summary>The mask of another method than PDP for channels: its hard mask, in every form.</summary>
internal sealed class MethodChannels(PdpMask mask, GroupSlices slices, IMethodRun run, int layer) : MultiplicativeRule(mask, slices)
{
    private static readonly Scalar One = 1.ToScalar();

    private Tensor? _kept;
    private Tensor? _gate;

    /// <summary>Never: a method may learn from gradients before it removes anything.</summary>
    public override bool IsIdentity => false;

    public override GroupValues Leave(GroupValues dense, GroupValues upstream, MaskForm form)
    {
        _gate = Gate(dense, upstream)?.DetachFromDisposeScope();
        return Times(upstream, FactorsOf(dense.Weight, form));
    }

    public override void Left()
    {
        using var gate = _gate;
        _gate = null;
        if (gate is not null)
            run.GateGradient(layer, gate);
    }

    /// <summary>The hard mask of the scope; between scopes that of now, which the mask's count follows.</summary>
    public override Tensor Kept(Tensor weight)
    {
        if (_kept is not null)
            return _kept.alias();

        var kept = run.Kept(layer, weight);
        Mask.CountRemoved(kept);
        return kept;
    }

    public override void Forget()
    {
        _kept?.Dispose();
        _gate?.Dispose();
        (_kept, _gate) = (null, null);
    }

    /// <summary>Asks the method once a scope, as it may rank by what is masked inside.</summary>
    protected override (Tensor? Hard, Tensor Whole)? FactorsOf(Tensor weight, MaskForm form)
    {
        _kept ??= Kept(weight).DetachFromDisposeScope();
        return (_kept.alias(), _kept.to_type(weight.dtype));
    }

    /// <summary>∂L/∂m = Σ(g·θ) of each channel over what carries the mask; null if nothing of that has a gradient.</summary>
    private Tensor? Gate(GroupValues dense, GroupValues upstream)
    {
        var along = GateAlong(dense, upstream);
        if (!Slices.MasksFilters)
            return along;

        var gate = Mask.Strategy.Sum(SoftMask.BoundedProduct(upstream.Weight, dense.Weight), Mask.Layout);
        return along is null ? gate : gate.add(along, One);
    }
}
