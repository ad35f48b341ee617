namespace Pdp.Samples.Cifar10;

/// <summary>Pictures of 32×32 as bytes in planes (RGB, then rows), and one class index each.</summary>
internal sealed record ImageSet(byte[] Pixels, byte[] Labels)
{
    public const int Side = 32;
    public const int Channels = 3;
    public const int PlaneSize = Side * Side;
    public const int PictureSize = Channels * PlaneSize;

    public int Count => Labels.Length;

    public ReadOnlySpan<byte> Picture(int index) => Pixels.AsSpan(index * PictureSize, PictureSize);

    /// <summary>The first <paramref name="perClass"/> pictures of each class, in the same order.</summary>
    public ImageSet Limit(int perClass)
    {
        var taken = new int[byte.MaxValue + 1];
        return Of([.. Enumerable.Range(0, Count).Where(index => taken[Labels[index]]++ < perClass)]);
    }

    /// <summary>The last <paramref name="perClass"/> pictures of each class, or all if there are fewer, in the same order.</summary>
    public ImageSet Last(int perClass)
    {
        var left = Counts();
        return Of([.. Enumerable.Range(0, Count).Where(index => left[Labels[index]]-- <= perClass)]);
    }

    /// <summary>The last <paramref name="perClass"/> pictures of each class, and the others, in the same order.</summary>
    /// <exception cref="ArgumentException">A class has no more pictures than that.</exception>
    public (ImageSet Others, ImageSet Last) Split(int perClass)
    {
        var left = Counts();
        if (left.FirstOrDefault(count => count > 0 && count <= perClass) is > 0 and var least)
        {
            throw new ArgumentException($"--hold-out {perClass} leaves no training pictures of a class with {least}.");
        }

        var places = Enumerable.Range(0, Count).ToLookup(index => left[Labels[index]]-- <= perClass);
        return (Of([.. places[false]]), Of([.. places[true]]));
    }

    /// <summary>The number of pictures of each class.</summary>
    private int[] Counts()
    {
        var counts = new int[byte.MaxValue + 1];
        foreach (var label in Labels)
        {
            counts[label]++;
        }

        return counts;
    }

    private ImageSet Of(int[] chosen)
    {
        var pixels = new byte[chosen.Length * PictureSize];
        for (var i = 0; i < chosen.Length; i++)
        {
            Picture(chosen[i]).CopyTo(pixels.AsSpan(i * PictureSize));
        }

        return new ImageSet(pixels, [.. chosen.Select(index => Labels[index])]);
    }
}
