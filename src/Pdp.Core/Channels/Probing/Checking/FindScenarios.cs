using Pdp.Channels.Probing.Running;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing.Checking;

/// <summary>The scenarios for finding groups.</summary>
/// <param name="model">The model.</param>
/// <param name="layers">Its layers.</param>
/// <param name="runner">Runs the model.</param>
/// <param name="fillActive">Fills the model with positive weights.</param>
internal sealed class FindScenarios(Module model, IReadOnlyList<ProbedLayer> layers, ModelRunner runner, Action fillActive)
    : Scenarios(model, layers, runner)
{
    private const double LargeGain = 30;

    // Besides shares that depend on the group, one channel is kept, all but one, and the usual shares: code may fix such a number.
    protected override Scenario[] CutStates(RandomWeights weights, ModelRunner runner, Func<Tensor, long[]> other) =>
    [
        new("with weights of both signs", () => weights.Fill(11), runner.Normal(other, 21), Drives: Ends),
        .. OnOne(runner, () => weights.Fill(16)),
        Training(new("in training mode", () => weights.Fill(12), runner.Normal(other, 22), Drives: Ends)),
        new("with large values", () => weights.Fill(15, LargeGain), runner.Normal(Own, 25, LargeGain), Share: 1),
        new("with positive weights", fillActive, runner.Example.Count == 0 ? null : ProbeInput.Positive(runner.Example, Own, 26), Share: 0),
        new("with its own weights, on a random input", runner.Snapshot.Restore, runner.Normal(Own, 27), Drives: Ends, Share: 0.5),
        new("with its own weights, on the example", runner.Snapshot.Restore, null, Share: 0.75),
        new("with weights of both signs", () => weights.Fill(9), runner.Normal(other, 29), Share: 0.25),
    ];
}
