namespace Pdp.Samples.ImageNet.Data;

/// <summary>A batch that is being filled.</summary>
/// <param name="pixels">Its memory.</param>
/// <param name="labels">Its classes.</param>
/// <param name="start">The place of its first picture in the epoch.</param>
/// <param name="count">Its pictures.</param>
internal sealed class PendingBatch(float[] pixels, long[] labels, int start, int count)
{
    public float[] Pixels => pixels;

    public long[] Labels => labels;

    public int Start => start;

    public int Count => count;

    /// <summary>The pictures that a thread works on or has finished.</summary>
    public int Begun { get; set; }

    /// <summary>The pictures that are finished.</summary>
    public int Finished { get; set; }
}
