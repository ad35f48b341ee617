using Pdp.Samples.Bert.Network;
using Pdp.Samples.Bert.Text;
using static TorchSharp.torch;

namespace Pdp.Samples.Bert.Training;

/// <summary>Measures the share of texts whose class a classifier names.</summary>
/// <param name="texts">The texts.</param>
/// <param name="config">The sizes of the classifier.</param>
/// <param name="device">Where the classifier is.</param>
internal sealed class Evaluation(LabelledTexts texts, BertConfig config, Device device)
{
    private const int Batch = 64;

    private readonly TextBatches _batches = new(texts.Texts, texts.Labels, Batch, config.PadTokenId, seed: 0, device);

    /// <summary>What the texts are called.</summary>
    public string Name => texts.Name;

    /// <summary>The accuracy, in [0, 1].</summary>
    /// <param name="model">The classifier; it is in training mode afterwards if it was before.</param>
    /// <param name="pruner">The pruner; null where there is none.</param>
    /// <param name="form">The form of the weights.</param>
    public double Accuracy(BertClassifier model, PdpPruner? pruner = null, MaskForm form = MaskForm.Soft)
    {
        using var noGrad = no_grad();
        var wasTraining = model.training;
        model.eval();
        try
        {
            using var mask = pruner is null ? default : pruner.Mask(form);
            return Enumerable.Range(0, _batches.Count).Sum(index => Hits(model, index)) / (double)_batches.Texts;
        }
        finally
        {
            model.train(wasTraining);
        }
    }

    /// <summary>Texts of medium length, on the CPU; their tensors are the caller's.</summary>
    /// <param name="count">How many; all where there are fewer.</param>
    public TokenBatch Typical(int count)
    {
        var batches = new TextBatches(texts.Texts, texts.Labels, count, config.PadTokenId, seed: 0);
        var (batch, labels) = batches.ByLength((batches.Count - 1) / 2);
        labels.Dispose();
        return batch;
    }

    private long Hits(BertClassifier model, int index)
    {
        using var scope = NewDisposeScope();
        var (batch, labels) = _batches.ByLength(index);
        return model.call(batch).argmax(1).eq(labels).sum().cpu().ReadCpuInt64(0);
    }
}
