using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>Keeps the groups whose channels can be removed with the same output as masking them, in all of several scenarios.</summary>
/// <remarks>
/// <para>
/// The claim is that, for all weights and inputs, the model with masked channels has the same output as the model without them. Checks
/// can't prove this for all, but a wrong group would have to give the same output by chance in every scenario, and each scenario excludes
/// one kind of chance:
/// </para>
/// <list type="bullet">
/// <item>random weights of both signs and normal scale make attention, gates and norms depend on their inputs (with tiny weights they are
/// nearly linear);</item>
/// <item>channels of equal sign at each position make a zero the largest or the smallest, as in a maximum over channels;</item>
/// <item>large values reveal small terms and saturate gates;</item>
/// <item>positive weights keep every unit active and avoid cancellation;</item>
/// <item>the model's own weights are where training starts;</item>
/// <item>training mode runs code that evaluation skips;</item>
/// <item>inputs of other sizes distinguish positions, image sides and examples where the user's example has only one, or equal ones.</item>
/// </list>
/// <para>
/// The removed channels are chosen anew for each scenario and group, so that halves, pairs and heads are not cut alike.
/// </para>
/// <para>
/// A wrong group is accepted only if its difference vanishes in every scenario: because it appears only beyond thresholds that no scenario
/// crosses, or on inputs unlike the example, or because it is smaller than the effect of the weights' last digits. It must then still pass
/// the same comparison with the trained weights when the model is shrunk.
/// </para>
/// <para>
/// All groups are cut at once, which also shows that they don't depend on each other. Only if that fails are they checked one by one, so
/// the cost is a few passes per scenario rather than per group.
/// </para>
/// </remarks>
internal sealed class GroupVerifier(
    Module model, ModelSnapshot snapshot, IReadOnlyList<Scenario> states, Func<IReadOnlyList<Tensor>?, Outputs> run)
{
    private readonly Dictionary<ChannelGroup, string> _refusals = [];

    /// <summary>Why groups were refused.</summary>
    public IReadOnlyDictionary<ChannelGroup, string> Refusals => _refusals;

    /// <summary>The groups that pass all scenarios together.</summary>
    public IReadOnlyList<ChannelGroup> Pass(IReadOnlyList<ChannelGroup> candidates)
    {
        IReadOnlyList<ChannelGroup> left = candidates;
        for (var before = -1; left.Count > 0 && before != left.Count;)
        {
            before = left.Count;
            var isConclusive = false;
            foreach (var state in states)
                left = Pass(left, state, ref isConclusive);
            if (!isConclusive)
            {
                left = RefuseAll(
                    left, "they can't be checked, since the model's output is not finite, all zero, or changes from call to call");
            }
        }

        return left;
    }

    private IReadOnlyList<ChannelGroup> Pass(IReadOnlyList<ChannelGroup> groups, Scenario state, ref bool isConclusive)
    {
        if (groups.Count == 0)
            return groups;

        using var check = new CutCheck(model, snapshot, state, run);
        var all = Try(check, groups);
        isConclusive |= all.IsConclusive;
        if (!all.IsConclusive && state.Fallback is { } fallback)
            return Pass(groups, fallback, ref isConclusive);
        if (all.Refusal is null)
            return groups;
        if (groups.Count == 1)
            return RefuseAll(groups, all.Refusal);

        ChannelGroup[] alone = [.. groups.Where(group => IsRight(Try(check, [group]), group))];
        return alone.Length == 0 || Try(check, alone).Refusal is null ? alone : OneByOne(check, alone);
    }

    /// <summary>Adds groups one by one and keeps those that pass together, since groups may pass alone but fail together.</summary>
    private List<ChannelGroup> OneByOne(CutCheck check, IReadOnlyList<ChannelGroup> groups)
    {
        var together = new List<ChannelGroup>();
        foreach (var group in groups)
        {
            if (IsRight(Try(check, [.. together, group]), group))
                together.Add(group);
        }

        return together;
    }

    private bool IsRight(CutResult result, ChannelGroup group)
    {
        if (result.Refusal is { } refusal)
            _refusals[group] = refusal;
        return result.Refusal is null;
    }

    private ChannelGroup[] RefuseAll(IReadOnlyList<ChannelGroup> groups, string refusal)
    {
        foreach (var group in groups)
            _refusals[group] = refusal;
        return [];
    }

    private static CutResult Try(CutCheck check, IReadOnlyList<ChannelGroup> groups) => check.Cut(ChannelSampler.Of(groups, check.Seed));
}
