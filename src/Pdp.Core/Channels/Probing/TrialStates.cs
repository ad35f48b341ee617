using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>The states in which groups are tried, those first that most wrong ones fail in.</summary>
internal static class TrialStates
{
    private const double Loud = 30;

    /// <summary>The states of a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="layers">Its layers.</param>
    /// <param name="snapshot">The model as it is.</param>
    /// <param name="example">The inputs of the user's call; none where they can't be seen.</param>
    /// <param name="otherSize">Shapes of another size that the model takes; null if there are none.</param>
    /// <param name="candidates">The groups that will be tried.</param>
    /// <param name="enliven">Fills the model with positive weights.</param>
    public static IReadOnlyList<TrialState> Of(
        Module model,
        IReadOnlyList<ProbedLayer> layers,
        ModelSnapshot snapshot,
        IReadOnlyList<Tensor> example,
        Func<Tensor, long[]>? otherSize,
        IReadOnlyList<ChannelGroup> candidates,
        Action enliven)
    {
        var weights = new RandomWeights(model, layers, snapshot);
        var sized = otherSize ?? (tensor => tensor.shape);
        IReadOnlyList<Tensor>? Normal(Func<Tensor, long[]> shapes, ulong seed, double gain = 1) => example.Count == 0 ? null : ProbeInput.Normal(example, shapes, gain, seed);

        return
        [
            new("with weights of both signs", () => weights.Fill(11), Normal(sized, 21), 1),
            new("in training mode", () => weights.Fill(12), Normal(sized, 22), 2, IsTraining: true),
            new("where channels are all of one sign", () => Align(0, isNegated: false), Normal(sized, 23), 3),
            new("where channels are all of one sign", () => Align(1, isNegated: false), Normal(sized, 23), 4),
            new("where channels are all of one sign", () => Align(0, isNegated: true), Normal(sized, 23), 3),
            new("where channels are all of one sign", () => Align(1, isNegated: true), Normal(sized, 23), 4),
            new("with large values", () => weights.Fill(15, Loud), Normal(tensor => tensor.shape, 25, Loud), 5),
            new("with positive weights", enliven, example.Count == 0 ? null : ProbeInput.Positive(example, tensor => tensor.shape, 26), 6),
            new("with the weights that it has", snapshot.Restore, Normal(tensor => tensor.shape, 27), 7),
            new("with its own weights, on the example", snapshot.Restore, null, 8),
        ];

        // Neighbours in turn, as a layer whose inputs are all alike can give nothing but one sign everywhere.
        void Align(int parity, bool isNegated)
        {
            weights.Fill((ulong)(13 + parity));
            foreach (var (i, group) in candidates.Index().Where(pair => pair.Index % 2 == parity))
                weights.Align(group, (ulong)(31 + i), isNegated);
        }
    }
}
