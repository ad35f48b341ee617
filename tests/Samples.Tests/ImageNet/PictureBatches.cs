using Pdp.Samples.ImageNet.Data;

namespace Pdp.Samples.Tests.ImageNet;

/// <summary>Reads the batches of a loader, and compares them.</summary>
internal static class PictureBatches
{
    public static void AssertEqual((float[] Pixels, long[] Labels)[] expected, (float[] Pixels, long[] Labels)[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair =>
        {
            Assert.Equal(pair.First.Labels, pair.Second.Labels);
            Assert.True(pair.First.Pixels.AsSpan().SequenceEqual(pair.Second.Pixels));
        });
    }

    public static long[] Labels((float[] Pixels, long[] Labels)[] batches) => [.. batches.SelectMany(batch => batch.Labels)];

    public static (float[] Pixels, long[] Labels)[] Read(PictureLoader loader, int epoch, int first = 0, bool keep = true)
    {
        var batches = new List<(float[], long[])>();
        foreach (var batch in loader.Epoch(epoch, first))
        {
            if (keep)
            {
                batches.Add((batch.Pixels.ToArray(), batch.Labels.ToArray()));
            }

            batch.Dispose();
        }

        return [.. batches];
    }
}
