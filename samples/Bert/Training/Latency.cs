using Pdp.Samples.Bert.Network;
using Pdp.Sparse;
using TorchSharp;

namespace Pdp.Samples.Bert.Training;

/// <summary>The time of a classifier's call, with its dense weights and packed.</summary>
/// <param name="Texts">The texts of the call.</param>
/// <param name="Tokens">The length to which they are padded.</param>
/// <param name="DenseMilliseconds">The median time of a call.</param>
/// <param name="PackedMilliseconds">The same, packed for this call.</param>
internal sealed record Latency(long Texts, long Tokens, double DenseMilliseconds, double PackedMilliseconds)
{
    private static readonly int[] Counts = [1, 8];

    /// <summary>
    /// Times a committed classifier on one text and on eight, on the CPU. Its weights stay as they are; it is on the CPU and in evaluation
    /// mode afterwards.
    /// </summary>
    public static IReadOnlyList<Latency> Of(BertClassifier model, Evaluation texts)
    {
        model.cpu().eval();
        return [.. Counts.Select(count => Of(model, texts, count))];
    }

    private static Latency Of(BertClassifier model, Evaluation texts, int count)
    {
        using var batch = texts.Typical(count);
        var dense = CallTime.Median(Call);
        using var packed = SparseModel.Pack(model, () => model.call(batch));
        return new(batch.Tokens.shape[0], batch.Tokens.shape[1], dense, CallTime.Median(Call));

        void Call() => model.call(batch);
    }
}
