using Pdp.Channels.Probing.Running;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing.Checking;

/// <summary>The scenarios in which a model with its final weights is checked before it is shrunk.</summary>
/// <param name="model">The model.</param>
/// <param name="runner">Runs the model.</param>
/// <param name="kept">The channels that each group keeps.</param>
internal sealed class ShrinkScenarios(Module model, ModelRunner runner, IReadOnlyDictionary<ChannelGroup, long[]> kept)
    : Scenarios(model, ProbedLayer.AllOf(model), runner)
{
    private const double LargeGain = 30;

    /// <inheritdoc/>
    /// <remarks>Fewer than for finding, since the example may be another one.</remarks>
    public override int Shown => 3;

    protected override IReadOnlyDictionary<ChannelGroup, long[]> Kept => kept;

    protected override Scenario[] CutStates(RandomWeights weights, ModelRunner runner, Func<Tensor, long[]> other) =>
    [
        new("on the example", runner.Snapshot.Restore, null),
        new("on a random input", runner.Snapshot.Restore, runner.Normal(Own, 41), Drives: Ends),
        .. OnOne(runner, runner.Snapshot.Restore),
        new("on a random input of another size", runner.Snapshot.Restore, runner.Normal(other, 42)),
        new("on a large random input", runner.Snapshot.Restore, runner.Normal(other, 43, LargeGain)),
        Training(new("in training mode", runner.Snapshot.Restore, runner.Normal(other, 44), Drives: Ends)),
    ];
}
