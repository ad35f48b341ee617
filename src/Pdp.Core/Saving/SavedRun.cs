using Pdp.Allocation;
using Pdp.Masking;
using Pdp.Scheduling;
using static TorchSharp.torch;

namespace Pdp.Saving;

/// <summary>What a state says of a run, read and checked against a model.</summary>
/// <remarks>Holds tensors of the caller's dispose scope.</remarks>
internal sealed class SavedRun
{
    private readonly PrunerState _state;
    private readonly IReadOnlyList<PrunedLayer> _layers;
    private readonly Tensor?[] _kept;
    private readonly Tensor?[] _sensitivities;

    /// <summary>Reads a state; nothing changes.</summary>
    /// <exception cref="ArgumentException">It is damaged, or of another run or model.</exception>
    public SavedRun(PrunerState state, Timetable times, SparsityGoal goal, TargetPlanner planner, IReadOnlyList<PrunedLayer> layers)
    {
        PdpMask[] masks = [.. layers.Select(layer => layer.Mask)];
        _state = state;
        _layers = layers;
        Clock = StateFit.Clock(state, times);
        Targets = StateFit.Targets(state, masks);
        _kept = StateFit.Kept(state, masks, Targets);
        _sensitivities = StateFit.Sensitivities(state, layers);
        if (state.Targets is not null)
            TargetChecks.RequirePossible(planner, goal, Targets);
        StateFit.RequireWeights(state, layers);
    }

    public PruningClock Clock { get; }

    public long[] Targets { get; }

    /// <summary>Gives each layer the final mask and the importance that it had.</summary>
    public void Restore()
    {
        foreach (var (layer, kept, sensitivity) in _layers.Zip(_kept, _sensitivities))
        {
            layer.Group.Restore(kept);
            layer.Mask.Importance?.Restore(sensitivity?.to(layer.Group.Parameters[0].device),
                _state.Importance?.GetValueOrDefault(layer.Mask.Name)?.Gradients ?? 0);
        }
    }
}
