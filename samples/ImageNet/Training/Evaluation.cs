using Pdp.Samples.ImageNet.Data;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.ImageNet.Training;

/// <summary>Measures how many pictures a learner gets right; with its running average, if it has one.</summary>
internal static class Evaluation
{
    private const int Guesses = 5;

    /// <summary>
    /// The accuracy with the weights in each of several forms, in one pass over the pictures, as reading them takes the longest.
    /// </summary>
    /// <param name="learner">What is measured; it is unchanged afterwards.</param>
    /// <param name="pictures">The pictures.</param>
    /// <param name="forms">The forms of the weights to measure; without a pruner all forms are the same.</param>
    /// <param name="ranks">The ranks, each of which measures its share of the pictures.</param>
    /// <param name="report">Called after each batch with the number of batches done.</param>
    /// <param name="stop">Ends the pass early.</param>
    /// <exception cref="OperationCanceledException">It was ended early.</exception>
    public static Accuracy[] Measure(
        Learner learner, IPictureBatches pictures, IReadOnlyList<MaskForm> forms, ICollective ranks, Action<int>? report = null,
        CancellationToken stop = default)
    {
        using var noGrad = no_grad();
        learner.Model.eval();
        learner.Average?.Swap();
        try
        {
            var (hits, count, done) = (new Accuracy[forms.Count], 0L, 0);
            foreach (var batch in InStep(pictures.Epoch(0), ranks, stop))
            {
                using var owned = batch;
                Add(hits, learner, batch, forms);
                count += batch.Count;
                report?.Invoke(++done);
            }

            return Shares(hits, count, ranks);
        }
        finally
        {
            learner.Average?.Swap();
        }
    }

    // Some ranks may have a batch more than others, and all must stop at the same one.
    private static IEnumerable<PictureBatch> InStep(IEnumerable<PictureBatch> batches, ICollective ranks, CancellationToken stop)
    {
        using var own = batches.GetEnumerator();
        for (var isOver = false; !isOver;)
        {
            if (ranks.Any(stop.IsCancellationRequested))
            {
                throw new OperationCanceledException(stop);
            }

            var hasOne = own.MoveNext();
            if (hasOne)
            {
                yield return own.Current;
            }

            isOver = !ranks.Any(hasOne);
        }
    }

    // What all ranks got right, of all that they saw.
    private static Accuracy[] Shares(Accuracy[] hits, long count, ICollective ranks)
    {
        using var scope = NewDisposeScope();
        var sums = tensor([.. hits.SelectMany(hit => new[] { hit.Top1, hit.Top5 }), count], ScalarType.Float64);
        ranks.Sum(sums);
        var all = sums.data<double>().ToArray();
        return [.. all[..^1].Chunk(2).Select(pair => new Accuracy(pair[0] / all[^1], pair[1] / all[^1]))];
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
