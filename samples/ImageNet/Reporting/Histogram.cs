using Tensorboard;

namespace Pdp.Samples.ImageNet.Reporting;

/// <summary>Counts numbers in equal intervals from the smallest to the largest.</summary>
internal static class Histogram
{
    private const int Intervals = 64;

    /// <param name="values">At least one number, all of them finite.</param>
    public static HistogramProto Of(ReadOnlySpan<float> values)
    {
        var (least, most, sum, squares) = (values[0], values[0], 0.0, 0.0);
        foreach (var value in values)
        {
            (least, most) = (Math.Min(least, value), Math.Max(most, value));
            sum += value;
            squares += (double)value * value;
        }

        var histogram = new HistogramProto { Min = least, Max = most, Num = values.Length, Sum = sum, SumSquares = squares };
        var width = most > least ? ((double)most - least) / Intervals : 1;
        histogram.Bucket.AddRange(Counts(values, least, width));
        histogram.BucketLimit.AddRange(Enumerable.Range(1, Intervals).Select(i => least + (i * width)));
        return histogram;
    }

    private static double[] Counts(ReadOnlySpan<float> values, double least, double width)
    {
        var counts = new double[Intervals];
        foreach (var value in values)
        {
            counts[Math.Min((int)((value - least) / width), Intervals - 1)]++;
        }

        return counts;
    }
}
