using Pdp.Masking;
using static TorchSharp.torch;

namespace Pdp.Methods;

/// <summary>The rule of a method other than PDP for channels: its hard mask, in every form.</summary>
internal sealed class MethodChannels(PdpMask mask, IMethodRun run, int layer) : IChannelRule
{
    private Tensor? _kept;

    /// <summary>Never: a method may learn from gradients before it removes anything.</summary>
    public bool IsIdentity => false;

    public bool IsSoft => false;

    /// <summary>Asks the method once per scope, as it may rank by values that are masked inside the scope.</summary>
    public void Begin(Tensor filters)
    {
        Forget();
        _kept = Kept(filters).DetachFromDisposeScope();
    }

    public (Tensor? Hard, Tensor? Whole) Factors(Tensor filters, MaskForm form) => (_kept!.alias(), _kept.to_type(filters.dtype));

    public Tensor? ThroughMask(Tensor filters, Tensor gate, MaskForm form) => null;

    public void GateGradient(Tensor gate) => run.GateGradient(layer, gate);

    public Tensor Kept(Tensor filters)
    {
        var kept = run.Kept(layer, InLayout(filters));
        mask.CountRemoved(kept);
        return kept.reshape(-1, 1);
    }

    public void Forget()
    {
        _kept?.Dispose();
        _kept = null;
    }

    public void Dispose() => Forget();

    /// <summary>Filters in the layout of the mask, which is the weight's own if it is the only one.</summary>
    private Tensor InLayout(Tensor filters)
    {
        var output = mask.Layout.OutputDimension;
        return filters.reshape([mask.Members, .. mask.Layout.Shape.Where((_, dimension) => dimension != output)]).movedim([0], [output]);
    }
}
