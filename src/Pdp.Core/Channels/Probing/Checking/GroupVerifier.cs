using Pdp.Channels.Probing.Running;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing.Checking;

/// <summary>Keeps the groups whose channels can be removed with the same output as masking them, in all of several scenarios.</summary>
/// <remarks>
/// <para>
/// The claim is that, for all weights and inputs, the model with masked channels has the same output as the model without them. A wrong
/// group would have to give the same output by chance in every scenario, and each check excludes one kind of chance:
/// </para>
/// <list type="number">
/// <item>
/// Groups are cut (<see cref="CutCheck"/>) with weights of both signs, which make attention, gates and norms depend on their inputs; with
/// large values and with positive ones; with the model's own weights, where training starts; in training mode, which runs code that
/// evaluation skips; on inputs of other sizes, which tell positions, image sides and examples apart. From one channel to all but one are
/// kept, so that halves, pairs and heads are cut differently, and counts differ.
/// </item>
/// <item>
/// Channels that would be removed get extreme values which their readers don't read (<see cref="IsolationCheck"/>), while other channels
/// are quiet, loud, far above zero or far below it. If no output changes, no number over the channels acts on any, whatever threshold it
/// would have to cross: the channels are isolated. In most networks all are.
/// </item>
/// <item>
/// The others act on each other before they are read, as in a norm over channels, or in the products of queries and keys. They are cut at
/// many scales, and with channels of equal sign, where a zero is the largest or the smallest, in training mode too. They must act at many
/// of the scales: if they act only at a threshold, equal outputs on its two sides show nothing, and the group is refused.
/// </item>
/// </list>
/// <para>
/// A wrong group is accepted only if it matters how many channels there are, but at none of the numbers that are tried, or if the
/// difference appears only on inputs unlike the example, or is smaller than the effect of the weights' last digits. It must then still
/// pass the same checks with the trained weights and the channels that are really cut when the model is shrunk.
/// </para>
/// <para>
/// All groups are cut at once, which also shows that they don't depend on each other. Only if that fails are they checked one by one, so
/// the cost is a few passes per scenario rather than per group.
/// </para>
/// </remarks>
internal sealed class GroupVerifier(Module model, ModelRunner runner, Scenarios scenarios)
{
    private readonly Dictionary<ChannelGroup, string> _refusals = [];
    private readonly HashSet<ChannelGroup> _meeting = [];
    private readonly HashSet<ChannelGroup> _isolated = [];
    private readonly HashSet<ChannelGroup> _shown = [];

    /// <summary>Why groups were refused.</summary>
    public IReadOnlyDictionary<ChannelGroup, string> Refusals => _refusals;

    /// <summary>The groups that pass all scenarios together.</summary>
    public IReadOnlyList<ChannelGroup> Pass(IReadOnlyList<ChannelGroup> candidates)
    {
        var left = candidates;
        for (var before = -1; left.Count > 0 && before != left.Count;)
        {
            before = left.Count;
            var isConclusive = false;
            foreach (var state in scenarios.OfCuts())
                left = Pass(left, state, ref isConclusive);
            if (!isConclusive)
            {
                left = RefuseAll(
                    left, "they can't be checked, since the model's output is not finite, all zero, or changes from call to call");
            }

            NoteMeeting(left);
            left = PassAtAllScales(left);
        }

        return left;
    }

    /// <summary>Tries groups whose channels act on others before they are read, at many scales.</summary>
    /// <remarks>
    /// Where they act all the time, as in a norm, the comparison shows whether silent channels do. Where they act at a threshold, it can't
    /// show what happens at it.
    /// </remarks>
    private ChannelGroup[] PassAtAllScales(IReadOnlyList<ChannelGroup> groups)
    {
        ChannelGroup[] fresh = [.. groups.Where(_meeting.Contains).Where(group => !_shown.Contains(group))];
        IReadOnlyList<ChannelGroup> meeting = fresh;
        var answers = meeting.ToDictionary(group => group, _ => 0);
        foreach (var (scale, state) in scenarios.AtAllScales(meeting))
        {
            if (meeting.Count == 0)
                break;

            using var check = new CutCheck(model, runner, state);
            if (Try(check, meeting).Refusal is not null)
                meeting = PassAlone(check, meeting);
            foreach (var group in meeting.Where(group => !state.IsTraining && check.IsAnswered(check.Sample([group]), scale)))
                answers[group]++;
        }

        _shown.UnionWith(meeting.Where(group => answers[group] >= scenarios.Shown));
        RefuseAll(
            [.. meeting.Where(group => !_shown.Contains(group))],
            "its channels act on others before they are read, at a threshold that no check can find");
        return [.. groups.Where(group => !fresh.Contains(group) || _shown.Contains(group))];
    }

    private IReadOnlyList<ChannelGroup> Pass(IReadOnlyList<ChannelGroup> groups, Scenario state, ref bool isConclusive)
    {
        if (groups.Count == 0)
            return groups;

        using var check = new CutCheck(model, runner, state);
        var open = OpenOf(groups);
        var all = Try(check, groups, open);
        if (!all.AreIsolated)
            NoteMeeting(check, open);
        isConclusive |= all.IsConclusive;
        return !all.IsConclusive && state.Fallback is { } fallback ? Pass(groups, fallback, ref isConclusive)
            : all.Refusal is null ? groups
            : groups.Count == 1 ? RefuseAll(groups, all.Refusal)
            : PassAlone(check, groups);
    }

    private IReadOnlyList<ChannelGroup> PassAlone(CutCheck check, IReadOnlyList<ChannelGroup> groups)
    {
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

    /// <summary>Notes which groups act on others before they are read, and that the others don't.</summary>
    private void NoteMeeting(IReadOnlyList<ChannelGroup> groups)
    {
        foreach (var state in scenarios.OfLevels(groups))
        {
            if (OpenOf(groups) is not { Count: > 0 } open)
                return;

            using var check = new CutCheck(model, runner, state);
            if (!check.AreIsolated(check.Sample(open)))
                NoteMeeting(check, open);
        }

        _isolated.UnionWith(OpenOf(groups));
    }

    private void NoteMeeting(CutCheck check, HashSet<ChannelGroup> open)
    {
        ChannelGroup[] alone = open.Count == 1 ? [] : [.. open.Where(group => !check.AreIsolated(check.Sample([group])))];
        _meeting.UnionWith(alone.Length > 0 ? alone : open);
    }

    /// <summary>The groups of which it isn't known yet whether they act on others.</summary>
    private HashSet<ChannelGroup> OpenOf(IEnumerable<ChannelGroup> groups) =>
        [.. groups.Where(group => !_meeting.Contains(group) && !_isolated.Contains(group))];

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

    private static CutResult Try(CutCheck check, IReadOnlyList<ChannelGroup> groups, IReadOnlySet<ChannelGroup>? open = null) =>
        check.Cut(check.Sample(groups), open);
}
