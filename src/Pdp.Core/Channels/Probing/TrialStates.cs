using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>The states in which groups are tried, those first that most wrong ones fail in.</summary>
internal static class TrialStates
{
    private const double Loud = 30;

    /// <summary>The states in which groups are sought.</summary>
    /// <param name="model">The model.</param>
    /// <param name="layers">Its layers.</param>
    /// <param name="runner">What runs it.</param>
    /// <param name="candidates">The groups that will be tried.</param>
    /// <param name="enliven">Fills the model with positive weights.</param>
    public static IReadOnlyList<TrialState> Of(Module model, IReadOnlyList<ProbedLayer> layers, ModelRunner runner, IReadOnlyList<ChannelGroup> candidates, Action enliven)
    {
        var weights = new RandomWeights(model, layers, runner.Snapshot);
        var other = runner.OtherSize();
        return
        [
            new("with weights of both signs", () => weights.Fill(11), runner.Normal(other, 21), 1),
            Training(new("in training mode", () => weights.Fill(12), runner.Normal(other, 22), 2)),
            new("where channels are all of one sign", () => Align(0, isNegated: false), runner.Normal(other, 23), 3),
            new("where channels are all of one sign", () => Align(1, isNegated: false), runner.Normal(other, 23), 4),
            new("where channels are all of one sign", () => Align(0, isNegated: true), runner.Normal(other, 23), 3),
            new("where channels are all of one sign", () => Align(1, isNegated: true), runner.Normal(other, 23), 4),
            new("with large values", () => weights.Fill(15, Loud), runner.Normal(Own, 25, Loud), 5),
            new("with positive weights", enliven, runner.Example.Count == 0 ? null : ProbeInput.Positive(runner.Example, Own, 26), 6),
            new("with the weights that it has", runner.Snapshot.Restore, runner.Normal(Own, 27), 7),
            new("with its own weights, on the example", runner.Snapshot.Restore, null, 8),
        ];

        // Neighbours in turn, as a layer whose inputs are all alike can give nothing but one sign everywhere.
        void Align(int parity, bool isNegated)
        {
            weights.Fill((ulong)(13 + parity));
            foreach (var (i, group) in candidates.Index().Where(pair => pair.Index % 2 == parity))
                weights.Align(group, (ulong)(31 + i), isNegated);
        }
    }

    /// <summary>The states in which a model with its final weights is compared before it is shrunk.</summary>
    public static IReadOnlyList<TrialState> OfFinal(ModelRunner runner)
    {
        var other = runner.OtherSize();
        return
        [
            new("on the example", runner.Snapshot.Restore, null, 1),
            new("on a random input", runner.Snapshot.Restore, runner.Normal(Own, 41), 2),
            new("on a random input of another size", runner.Snapshot.Restore, runner.Normal(other, 42), 3),
            new("on a large random input", runner.Snapshot.Restore, runner.Normal(other, 43, Loud), 4),
            Training(new("in training mode", runner.Snapshot.Restore, runner.Normal(other, 44), 5)),
        ];
    }

    /// <summary>A state in training mode; where norms over a few examples leave nothing but noise, or don't run, they evaluate.</summary>
    private static TrialState Training(TrialState state) => state with { IsTraining = true, Otherwise = state with { IsTraining = true, NormsEvaluate = true } };

    private static long[] Own(Tensor tensor) => tensor.shape;
}
