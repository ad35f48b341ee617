namespace Pdp.Samples.ImageNet.Data;

/// <summary>The pictures of one epoch in their order; all of it follows from seed and epoch. Safe for several threads.</summary>
internal sealed class EpochPictures
{
    private readonly ImageFolder _folder;
    private readonly DamagedPictures _damaged;
    private readonly long _seed;
    private readonly int _epoch;
    private readonly int[] _order;

    public EpochPictures(ImageFolder folder, DamagedPictures damaged, long seed, int epoch, bool isShuffled)
    {
        (_folder, _damaged, _seed, _epoch) = (folder, damaged, seed, epoch);
        _order = [.. Enumerable.Range(0, folder.Count)];
        if (isShuffled)
        {
            Shuffle();
        }
    }

    public int Count => _order.Length;

    /// <summary>Reads the picture at a place of the epoch; one that is damaged is replaced by the next in the folder that is not.</summary>
    /// <returns>The class of the picture that was read.</returns>
    /// <exception cref="InvalidDataException">More than a few pictures can't be read.</exception>
    public int Read(int place, PictureReader reader, Span<float> target)
    {
        var index = _order[place];
        var random = new SplitMix(_seed, _epoch, index);
        for (var tried = 0; tried < Count; tried++)
        {
            if (TryRead(index, reader, random, target))
            {
                return _folder.ClassOf(index);
            }

            index = (index + 1) % Count;
        }

        throw new InvalidDataException($"Picture '{_folder.PathOf(index)}' can't be read, and there is no other.");
    }

    private void Shuffle()
    {
        var random = new SplitMix(_seed, _epoch, index: -1);
        for (var last = Count - 1; last > 0; last--)
        {
            var other = random.Below(last + 1);
            (_order[last], _order[other]) = (_order[other], _order[last]);
        }
    }

    private bool TryRead(int index, PictureReader reader, SplitMix random, Span<float> target)
    {
        var path = _folder.PathOf(index);
        try
        {
            reader.Read(path, random, target);
            return true;
        }
        catch (InvalidDataException e)
        {
            _damaged.Add(path, e.Message);
            return false;
        }
    }
}
