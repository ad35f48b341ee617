using Pdp.Samples.ImageNet.Data;
using static TorchSharp.torch;

namespace Pdp.Samples.ImageNet.Training;

/// <summary>Measures how many pictures a learner gets right; with its running average, if it has one.</summary>
internal static class Evaluation
{
    private const int Guesses = 5;

    /// <summary>
    /// The accuracy with the weights in each of some forms, in one pass over the pictures, as reading them takes the longest.
    /// </summary>
    /// <param name="learner">What is measured; it is unchanged afterwards.</param>
    /// <param name="pictures">The pictures.</param>
    /// <param name="forms">What the weights are while they are measured; without a pruner all forms are the same.</param>
    /// <param name="report">Told the number of batches done, after each.</param>
    /// <param name="stop">Ends the pass early.</param>
    /// <exception cref="OperationCanceledException">It was ended early.</exception>
    public static Accuracy[] Measure(
        Learner learner, IPictureBatches pictures, IReadOnlyList<MaskForm> forms, Action<int>? report = null,
        CancellationToken stop = default)
    {
        using var noGrad = no_grad();
        learner.Model.eval();
        learner.Average?.Exchange();
        try
        {
            var (hits, count, done) = (new Accuracy[forms.Count], 0L, 0);
            foreach (var batch in pictures.Epoch(0))
            {
                using var owned = batch;
                stop.ThrowIfCancellationRequested();
                Add(hits, learner, batch, forms);
                count += batch.Count;
                report?.Invoke(++done);
            }

            return [.. hits.Select(hit => new Accuracy(hit.Top1 / count, hit.Top5 / count))];
        }
        finally
        {
            learner.Average?.Exchange();
        }
    }

    private static void Add(Accuracy[] hits, Learner learner, PictureBatch batch, IReadOnlyList<MaskForm> forms)
    {
        using var scope = NewDisposeScope();
        var (pictures, labels) = PictureTensors.Of(batch, learner.Device);
        for (var i = 0; i < forms.Count; i++)
        {
            using var mask = learner.Pruner is null ? default : learner.Pruner.Mask(forms[i]);
            var (top1, top5) = Hits(learner.Model.call(pictures), labels);
            hits[i] = new Accuracy(hits[i].Top1 + top1, hits[i].Top5 + top5);
        }
    }

    private static (long Top1, long Top5) Hits(Tensor logits, Tensor labels)
    {
        var guesses = logits.topk((int)Math.Min(Guesses, logits.size(1)), 1).indexes;
        var isRight = guesses.eq(labels.unsqueeze(1));
        return (isRight.narrow(1, 0, 1).sum().cpu().ReadCpuInt64(0), isRight.sum().cpu().ReadCpuInt64(0));
    }
}
