using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>Shows of groups that cutting their channels out is the same as masking them, in all of several states, or refuses them.</summary>
/// <remarks>
/// <para>
/// The claim is that for all weights and inputs the model with silent channels has the output of the model without them. Trials can't show it for all,
/// but a wrong group has to give the same output by chance in every state, and each state leaves one kind of chance out:
/// random weights of both signs and of normal scale make attention, gates and norms depend on what they see (a linear model of them, which tiny
/// weights are, does not); channels of one sign at each position make a zero win or lose against all others, as in a maximum over channels; large
/// values show terms that are small otherwise, and saturate gates; all positive weights keep every unit alive and nothing cancels; the model's own
/// weights are where it starts from; training mode runs what evaluation leaves out; and inputs of other sizes tell sequences of one, square pictures
/// and batches of one from what they stand for. Which channels go is drawn anew for each state and group, so that halves, pairs and heads of them
/// are not cut alike.
/// </para>
/// <para>
/// A group that is accepted and wrong would need a difference that vanishes on open sets of weights in each of these states: one that shows only
/// behind thresholds that none of them crosses, or on inputs of a kind that is not like the example's, or that stays below what the weights' last
/// digits change. It then still has to pass the same comparison with the trained weights when the model is shrunk.
/// </para>
/// <para>
/// All groups are cut at once, which also shows that they don't depend on each other; only where that fails they are tried one by one. So the
/// cost is a few passes for each state, not for each group.
/// </para>
/// </remarks>
internal sealed class Trials(Module model, ModelSnapshot snapshot, IReadOnlyList<TrialState> states, Func<IReadOnlyList<Tensor>?, Outputs> run)
{
    private readonly Dictionary<ChannelGroup, string> _refusals = [];

    /// <summary>Why groups were refused.</summary>
    public IReadOnlyDictionary<ChannelGroup, string> Refusals => _refusals;

    /// <summary>The groups that pass all states together.</summary>
    public IReadOnlyList<ChannelGroup> Pass(IReadOnlyList<ChannelGroup> candidates)
    {
        IReadOnlyList<ChannelGroup> left = candidates;
        for (var before = -1; left.Count > 0 && before != left.Count;)
        {
            before = left.Count;
            var isShown = false;
            foreach (var state in states)
                left = Pass(left, state, ref isShown);
            if (!isShown)
                left = RefuseAll(left, "nothing can be shown of them, as the model's output is not finite, all zero, or changes from call to call");
        }

        return left;
    }

    private IReadOnlyList<ChannelGroup> Pass(IReadOnlyList<ChannelGroup> groups, TrialState state, ref bool isShown)
    {
        if (groups.Count == 0)
            return groups;

        using var trial = new Trial(model, snapshot, state, run);
        var all = Try(trial, groups);
        isShown |= all.IsTelling;
        if (!all.IsTelling && state.Otherwise is { } otherwise)
            return Pass(groups, otherwise, ref isShown);
        if (all.Refusal is null)
            return groups;
        if (groups.Count == 1)
            return RefuseAll(groups, all.Refusal);

        ChannelGroup[] alone = [.. groups.Where(group => IsRight(Try(trial, [group]), group))];
        return alone.Length == 0 || Try(trial, alone).Refusal is null ? alone : OneByOne(trial, alone);
    }

    /// <summary>Groups that are right alone and wrong together: the first ones of them stay.</summary>
    private List<ChannelGroup> OneByOne(Trial trial, IReadOnlyList<ChannelGroup> groups)
    {
        var together = new List<ChannelGroup>();
        foreach (var group in groups)
        {
            if (IsRight(Try(trial, [.. together, group]), group))
                together.Add(group);
        }

        return together;
    }

    private bool IsRight(Verdict verdict, ChannelGroup group)
    {
        if (verdict.Refusal is { } refusal)
            _refusals[group] = refusal;
        return verdict.Refusal is null;
    }

    private ChannelGroup[] RefuseAll(IReadOnlyList<ChannelGroup> groups, string refusal)
    {
        foreach (var group in groups)
            _refusals[group] = refusal;
        return [];
    }

    private static Verdict Try(Trial trial, IReadOnlyList<ChannelGroup> groups) => trial.Cut(TrialChannels.Of(groups, trial.Seed));
}
