using Pdp.Channels.Shrinking;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>Cuts some of a group's channels out and compares with the same channels masked: the proof that a group is right.</summary>
/// <param name="Refusal">Why the group can't be cut; null if it can.</param>
/// <param name="IsNormalized">Whether masking the norms silences the channels as well as masking the filters too does.</param>
internal readonly record struct TrialCut(string? Refusal, bool IsNormalized)
{
    /// <summary>Differences of this share of the largest output are rounding, by type.</summary>
    private const double Tolerance = 2e-5;

    private const double ToleranceOfDouble = 1e-10;

    /// <summary>Tries a group; the model is as before.</summary>
    public static TrialCut Of(Module model, ChannelGroup group, Func<Tensor> forward)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        long[] kept = [.. Enumerable.Range(0, (int)group.Channels).Where(channel => channel % 5 is not (1 or 2)).Select(channel => (long)channel)];
        var removed = Enumerable.Range(0, (int)group.Channels).Select(channel => (long)channel).Except(kept).ToArray();
        var saved = new List<(Tensor Whole, Tensor Before)>();
        try
        {
            Mask(model, group, ChannelRole.Norm, removed, saved);
            var byNorms = saved.Count > 0 ? forward() : null;
            Mask(model, group, ChannelRole.Filter, removed, saved);
            Mask(model, group, ChannelRole.Bias, removed, saved);
            var masked = forward();
            var isNormalized = byNorms is not null && byNorms.eq(masked).all().cpu().ReadCpuBool(0);
            return new(RefusalOf(model, group, kept, masked, forward), isNormalized);
        }
        finally
        {
            for (var i = saved.Count - 1; i >= 0; i--)
                saved[i].Whole.copy_(saved[i].Before);
        }
    }

    private static string? RefusalOf(Module model, ChannelGroup group, long[] kept, Tensor masked, Func<Tensor> forward)
    {
        using var surgery = Surgery.Keep(model, [(group, kept)]);
        try
        {
            return Compare(masked, forward());
        }
        catch (Exception fault) when (fault is not (OutOfMemoryException or AccessViolationException))
        {
            return $"the model does not run without some of its channels ({fault.Message.Split('\n')[0].TrimEnd()})";
        }
        finally
        {
            surgery.Undo();
        }
    }

    private static void Mask(Module model, ChannelGroup group, ChannelRole role, long[] removed, List<(Tensor Whole, Tensor Before)> saved)
    {
        var tensors = Surgery.TensorsOf(model);
        using Scalar zero = 0.ToScalar();
        foreach (var slice in group.Of(role))
        {
            var whole = tensors[slice.Name];
            saved.Add((whole, whole.detach().clone()));
            whole.index_fill_(slice.Dimension, tensor(Surgery.IndicesOf(slice, removed).ToArray(), device: whole.device), zero);
        }
    }

    private static string? Compare(Tensor masked, Tensor cut)
    {
        if (!masked.shape.AsSpan().SequenceEqual(cut.shape))
            return "its channels are outputs of the model";

        var tolerance = masked.dtype == ScalarType.Float64 ? ToleranceOfDouble : Tolerance;
        var scale = masked.abs().max().to_type(ScalarType.Float64).cpu().ReadCpuDouble(0);
        var difference = masked.sub(cut).abs().max().to_type(ScalarType.Float64).cpu().ReadCpuDouble(0);
        return difference <= tolerance * scale
            ? null
            : $"the model's output changes when its silent channels are cut out (by {difference / scale:0.0E+0} of the largest value)";
    }
}
