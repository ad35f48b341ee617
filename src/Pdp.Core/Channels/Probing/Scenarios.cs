using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>The scenarios in which groups are checked, ordered so that wrong groups fail early.</summary>
internal static class Scenarios
{
    private const double LargeGain = 30;

    /// <summary>The scenarios for finding groups.</summary>
    /// <param name="model">The model.</param>
    /// <param name="layers">Its layers.</param>
    /// <param name="runner">Runs the model.</param>
    /// <param name="candidates">The groups that will be checked.</param>
    /// <param name="fillActive">Fills the model with positive weights.</param>
    public static IReadOnlyList<Scenario> Of(
        Module model,
        IReadOnlyList<ProbedLayer> layers,
        ModelRunner runner,
        IReadOnlyList<ChannelGroup> candidates,
        Action fillActive)
    {
        var weights = new RandomWeights(model, layers, runner.Snapshot);
        var other = runner.OtherSize();
        var one = ProbeSizes.OfOne(runner.Example);
        return
        [
            new("with weights of both signs", () => weights.Fill(11), runner.Normal(other, 21), 1),
            .. one is null ? [] : new[] { new Scenario("on a batch of one", () => weights.Fill(16), runner.Normal(one, 28), 10) },
            Training(new("in training mode", () => weights.Fill(12), runner.Normal(other, 22), 2)),
            new("with channels of equal sign", () => Align(0, isNegated: false), runner.Normal(other, 23), 3),
            new("with channels of equal sign", () => Align(1, isNegated: false), runner.Normal(other, 23), 4),
            new("with channels of equal sign", () => Align(0, isNegated: true), runner.Normal(other, 23), 3),
            new("with channels of equal sign", () => Align(1, isNegated: true), runner.Normal(other, 23), 4),
            new("with large values", () => weights.Fill(15, LargeGain), runner.Normal(Own, 25, LargeGain), 5),
            new("with positive weights", fillActive, runner.Example.Count == 0 ? null : ProbeInput.Positive(runner.Example, Own, 26), 6),
            new("with its own weights, on a random input", runner.Snapshot.Restore, runner.Normal(Own, 27), 7),
            new("with its own weights, on the example", runner.Snapshot.Restore, null, 8),
        ];

        // Adjacent groups take turns, since a layer whose inputs all have the same sign may produce one sign everywhere.
        void Align(int parity, bool isNegated)
        {
            weights.Fill((ulong)(13 + parity));
            foreach (var (i, group) in candidates.Index().Where(pair => pair.Index % 2 == parity))
                weights.Align(group, (ulong)(31 + i), isNegated);
        }
    }

    /// <summary>The scenarios in which a model with its final weights is checked before it is shrunk.</summary>
    public static IReadOnlyList<Scenario> OfFinal(ModelRunner runner)
    {
        var other = runner.OtherSize();
        var one = ProbeSizes.OfOne(runner.Example);
        return
        [
            new("on the example", runner.Snapshot.Restore, null, 1),
            new("on a random input", runner.Snapshot.Restore, runner.Normal(Own, 41), 2),
            .. one is null ? [] : new[] { new Scenario("on a batch of one", runner.Snapshot.Restore, runner.Normal(one, 45), 6) },
            new("on a random input of another size", runner.Snapshot.Restore, runner.Normal(other, 42), 3),
            new("on a large random input", runner.Snapshot.Restore, runner.Normal(other, 43, LargeGain), 4),
            Training(new("in training mode", runner.Snapshot.Restore, runner.Normal(other, 44), 5)),
        ];
    }

    /// <summary>A scenario in training mode. If norms over a few examples leave only noise, or fail, they evaluate.</summary>
    private static Scenario Training(Scenario state) =>
        state with { IsTraining = true, Fallback = state with { IsTraining = true, NormsEvaluate = true } };

    private static long[] Own(Tensor tensor) => tensor.shape;
}
