using Pdp.Samples.Bert.Network;
using Pdp.Samples.Transformers;

namespace Pdp.Samples.Bert;

/// <summary>Which parts of a BERT are pruned.</summary>
internal static class Pruning
{
    /// <summary>
    /// Makes the pruner of a run; null for a dense one. The encoder's matrices are pruned; the pooler and the classifier stay dense, as
    /// embeddings do by default.
    /// </summary>
    /// <exception cref="ArgumentException">The settings don't go together.</exception>
    public static PdpPruner? Attach(Settings settings, BertClassifier model) =>
        TransformerPruning.Attach(settings, model, ["bert.pooler", "classifier"]);
}
