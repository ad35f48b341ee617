using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Bert.Network;

/// <summary>BERT that predicts which class a text, or a pair of texts, belongs to.</summary>
internal sealed class BertClassifier : Module<TokenBatch, Tensor>
{
    /// <summary>The standard deviation of fresh weights, as in BERT.</summary>
    private const double Spread = 0.02;

    private readonly BertModel bert;
    private readonly Dropout dropout;
    private readonly Linear classifier;

    /// <param name="config">The sizes of the encoder.</param>
    /// <param name="classes">The number of classes.</param>
    public BertClassifier(BertConfig config, int classes)
        : base(nameof(BertClassifier))
    {
        bert = new BertModel(config);
        dropout = Dropout(config.HiddenDropoutProb);
        classifier = Linear(config.HiddenSize, classes);
        RegisterComponents();
        Initialize();
    }

    /// <summary>The encoder.</summary>
    public BertModel Encoder => bert;

    /// <returns>The logits, <c>[texts, classes]</c>.</returns>
    public override Tensor forward(TokenBatch batch)
    {
        using var scope = NewDisposeScope();
        var (_, pooled) = bert.call(batch);
        return classifier.call(dropout.call(pooled)).MoveToOuterDisposeScope();
    }

    private void Initialize()
    {
        using var _ = no_grad();
        foreach (var weight in modules().OfType<Linear>().Select(linear => linear.weight!)
            .Concat(modules().OfType<Embedding>().Select(embedding => embedding.weight!)))
        {
            init.normal_(weight, 0, Spread);
        }

        foreach (var bias in modules().OfType<Linear>().Select(linear => linear.bias!))
        {
            init.zeros_(bias);
        }
    }
}
