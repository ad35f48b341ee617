using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>Cuts a third of a group's channels out and compares with the same channels masked: the proof that a group is right.</summary>
internal static class TrialCut
{
    /// <summary>Differences of this share of the largest output are rounding, by type.</summary>
    private const double Tolerance = 2e-5;

    private const double ToleranceOfDouble = 1e-10;


    /// <summary>Why the group can't be cut; null if it can. The model is as before.</summary>
    public static string? Refusal(Module model, ChannelGroup group, Func<Tensor> forward)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        long[] kept = [.. Enumerable.Range(0, (int)group.Channels).Where(channel => channel % 5 is not (1 or 2)).Select(channel => (long)channel)];
        var removed = Enumerable.Range(0, (int)group.Channels).Select(channel => (long)channel).Except(kept).ToArray();
        var saved = Mask(model, group, removed);
        var masked = forward();
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
            foreach (var (whole, before) in saved)
                whole.copy_(before);
        }
    }

    private static List<(Tensor Whole, Tensor Before)> Mask(Module model, ChannelGroup group, long[] removed)
    {
        var tensors = Surgery.TensorsOf(model);
        var saved = new List<(Tensor, Tensor)>();
        foreach (var slice in group.Slices.Where(slice => slice.Role is ChannelRole.Filter or ChannelRole.Companion))
        {
            var whole = tensors[slice.Name];
            saved.Insert(0, (whole, whole.detach().clone()));
            using Scalar zero = 0.ToScalar();
            whole.index_fill_(slice.Dimension, tensor(Surgery.IndicesOf(slice, removed).ToArray(), device: whole.device), zero);
        }

        return saved;
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
