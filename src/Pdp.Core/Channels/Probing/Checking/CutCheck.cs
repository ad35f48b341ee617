using System.Globalization;
using Pdp.Channels.Cutting;
using Pdp.Channels.Probing.Running;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing.Checking;

/// <summary>
/// Removes channels from a model in one scenario, and compares the output with that of the model in which they are masked.
/// </summary>
internal sealed class CutCheck : IDisposable
{
    private readonly Scenario _state;
    private readonly RoundingTolerance _rounding;
    private readonly ModelRunner _runner;
    private readonly TrialModel _trial;

    /// <summary>Puts the model into the scenario.</summary>
    /// <param name="model">The model.</param>
    /// <param name="runner">Runs it.</param>
    /// <param name="state">The scenario.</param>
    public CutCheck(Module model, ModelRunner runner, Scenario state)
    {
        (_runner, _state) = (runner, state);
        _rounding = RoundingTolerance.Of(runner.Snapshot.Parameters);
        _trial = new(model, runner, state);
    }

    /// <summary>The channels of some groups that are kept in the scenario.</summary>
    public IReadOnlyList<(ChannelGroup Group, long[] Kept)> Sample(IEnumerable<ChannelGroup> groups) =>
        [.. groups.Select(group => (group, _state.Kept?[group] ?? ChannelSampler.Of(group, _state.Seed, _state.Share)))];

    /// <summary>Removes some channels of each group and compares.</summary>
    /// <param name="cuts">The groups and their kept channels.</param>
    /// <param name="open">The groups among them of which the result says whether their channels are isolated; none by default.</param>
    public CutResult Cut(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts, IReadOnlySet<ChannelGroup>? open = null)
    {
        try
        {
            var (masked, areIsolated, comparison) = _runner.Together(() => Uncut(cuts, open));
            return (comparison.IsConclusive ? CutOut(cuts, masked, comparison) : CutResult.Inconclusive) with { AreIsolated = areIsolated };
        }
        catch (Exception fault) when (TrialFaults.MayComeFromSizes(fault))
        {
            // The complete model doesn't run with the scenario's inputs or mode.
            return CutResult.Inconclusive;
        }
    }

    /// <summary>Whether the removed channels reach the outputs through their readers alone, or the scenario can't tell.</summary>
    public bool AreIsolated(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts)
    {
        try
        {
            return _runner.Together(() =>
            {
                _trial.Mask(cuts);
                return IsolationCheck.Holds(_trial, cuts, _trial.Run(cuts), cuts, _state.Drives ?? []);
            });
        }
        catch (Exception fault) when (TrialFaults.MayComeFromSizes(fault))
        {
            return true;
        }
    }

    /// <summary>Whether values of a size in the removed channels act on the outputs past their readers.</summary>
    public bool IsAnswered(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts, double level)
    {
        try
        {
            return _runner.Together(() => IsolationCheck.IsAnswered(_trial, cuts, level));
        }
        catch (Exception fault) when (TrialFaults.MayComeFromSizes(fault))
        {
            return false;
        }
    }

    /// <summary>Whether masking only the norms of groups gives exactly the outputs of masking their filters too.</summary>
    public bool IsNormalized(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts)
    {
        _trial.Refill();
        _trial.Zero(cuts, ChannelRole.Norm);
        var byNorms = _trial.Run(cuts);
        _trial.Mask(cuts);
        return byNorms.Outputs.Equal(_trial.Run(cuts).Outputs);
    }

    public void Dispose() => _trial.Dispose();

    /// <summary>What the model does whose channels are masked rather than cut.</summary>
    private (TrialPass Masked, bool AreIsolated, Comparison Comparison) Uncut(
        IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts, IReadOnlySet<ChannelGroup>? open)
    {
        _trial.Mask(cuts);
        var masked = _trial.Run(cuts);
        (ChannelGroup, long[])[] looked = open is null ? [] : [.. cuts.Where(cut => open.Contains(cut.Group))];
        var areIsolated = looked.Length == 0 || _state.Drives is not { } drives
            || IsolationCheck.Holds(_trial, cuts, masked, looked, drives);
        _trial.Jitter(cuts, _rounding.Jitter);
        return (masked, areIsolated, new(masked, _trial.Run(cuts), _rounding));
    }

    private CutResult CutOut(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts, TrialPass masked, Comparison comparison)
    {
        _trial.Refill();
        var result = WithoutChannels(cuts, () =>
        {
            var cut = _trial.Run(cuts);
            return !comparison.Fits(cut) ? CutResult.Refused("its channels are outputs of the model") : Compared(comparison.Excess(cut));
        });
        // Random numbers for fewer channels are others, as in dropout.
        return result.IsDifference && masked.HasDrawn && AreIsolated(cuts) ? CutOutDrawn(cuts) : result;
    }

    /// <summary>Compares the means of outputs over many draws.</summary>
    private CutResult CutOutDrawn(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts)
    {
        _trial.Mask(cuts);
        var masked = DrawnOutputs.Of(Pass);
        _trial.Refill();
        return WithoutChannels(cuts, () => Compared(masked.Excess(DrawnOutputs.Of(Pass))));

        Outputs Pass(ulong draw) => _trial.Run(cuts, draw).Outputs;
    }

    private CutResult WithoutChannels(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts, Func<CutResult> compare)
    {
        Surgery? surgery = null;
        try
        {
            surgery = Surgery.Keep(_trial.Model, cuts.Select(cut => (cut.Group, (IReadOnlyList<long>)cut.Kept)));
            return compare();
        }
        catch (Exception fault) when (TrialFaults.MayComeFromSizes(fault))
        {
            var mode = _state.IsTraining ? " in training mode" : "";
            var reason = fault.Message.Split('\n')[0].TrimEnd();
            return CutResult.Refused($"the model does not run without some of its channels{mode} ({reason})");
        }
        finally
        {
            surgery?.Undo();
            surgery?.Dispose();
        }
    }

    private CutResult Compared(double? excess) => excess is null
        ? CutResult.Passed
        : CutResult.Differs("the model's output changes when its masked channels are removed "
            + string.Create(CultureInfo.InvariantCulture, $"({_state.Description}, by {excess:0.0E+0} of the largest value in its row)"));
}
